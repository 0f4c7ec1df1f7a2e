import type { InspectedContainer } from './engine/engine-answers.ts';
import { renderTemplate } from './go-template.ts';

/** What a log tag's template can name, as Docker's daemon knows it when it starts the container. */
export interface LogTagContext {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly imageName: string;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly imageId: string;
  /** The entry point and its arguments. */
  readonly command: readonly string[];
}

/** The template that each driver with a `tag` option falls back to (moby daemon/logger/DRIVER). */
const defaultTemplates: Readonly<Record<string, string>> = {
  syslog: '{{.ID}}',
  journald: '{{.ID}}',
  fluentd: '{{.ID}}',
  gelf: '{{.ID}}',
  splunk: '{{.ID}}',
  awslogs: '{{.FullID}}',
};

/**
 * The tag that Docker gives a container's log lines. Undefined where the driver has none (json-file and local write theirs
 * into attributes, gcplogs has none) or the template is one that can't be rendered here.
 * (moby daemon/logger/loggerutils/log_tag.go, daemon/logger/loginfo.go)
 */
export function renderLogTag(
  driver: string,
  options: Readonly<Record<string, string>>,
  context: LogTagContext,
): string | undefined {
  const fallback = Object.hasOwn(defaultTemplates, driver) ? defaultTemplates[driver] : undefined;
  if (fallback === undefined) return undefined;
  return renderTemplate(options['tag'] || fallback, fieldsOf(context));
}

/** `.ImageID` is left out: engines differ in whether its 12 characters count from `sha256:`. */
function fieldsOf({ id, name, imageName, imageId, command }: LogTagContext): ReadonlyMap<string, string> {
  const fields = {
    ID: id.slice(0, 12),
    FullID: id,
    ContainerID: id,
    Name: name,
    ContainerName: `/${name}`,
    ImageName: imageName,
    ContainerImageName: imageName,
    ImageFullID: imageId,
    ContainerImageID: imageId,
    DaemonName: 'docker',
    Command: command.join(' '),
  };
  return new Map(Object.entries(fields));
}

/** The tag of its log lines, as Docker renders it when it starts the container. */
export function containerTag({
  Id,
  Name,
  Image,
  Path,
  Args,
  Config,
  HostConfig,
}: InspectedContainer): string | undefined {
  const { Type, Config: options } = HostConfig.LogConfig ?? {};
  return renderLogTag(Type ?? '', options ?? {}, {
    id: Id,
    name: Name.replace(/^\//, ''),
    imageName: Config.Image ?? '',
    imageId: Image ?? '',
    command: [Path ?? '', ...(Args ?? [])],
  });
}
