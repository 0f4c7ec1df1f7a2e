import type { InspectedContainer } from './engine/engine-answers.ts';
import { renderTemplate } from './go-template.ts';

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
 * The tag that Docker gives a container's log lines when it starts. Undefined where the driver has none (json-file and local write theirs
 * into attributes, gcplogs has none) or the template is one that can't be rendered here.
 * (moby daemon/logger/loggerutils/log_tag.go, daemon/logger/loginfo.go)
 */
export function containerTag(container: InspectedContainer): string | undefined {
  const { Type, Config: options } = container.HostConfig.LogConfig ?? {};
  const fallback = Type && Object.hasOwn(defaultTemplates, Type) ? defaultTemplates[Type] : undefined;
  return fallback && renderTemplate(options?.['tag'] || fallback, fieldsOf(container));
}

/** `.ImageID` is left out: engines differ in whether its 12 characters count from `sha256:`. */
function fieldsOf({ Id, Name, Image, Path, Args, Config }: InspectedContainer): ReadonlyMap<string, string> {
  const name = Name.replace(/^\//, '');
  const imageName = Config.Image ?? '';
  const imageId = Image ?? '';
  const fields = {
    ID: Id.slice(0, 12),
    FullID: Id,
    ContainerID: Id,
    Name: name,
    ContainerName: `/${name}`,
    ImageName: imageName,
    ContainerImageName: imageName,
    ImageFullID: imageId,
    ContainerImageID: imageId,
    DaemonName: 'docker',
    Command: [Path ?? '', ...(Args ?? [])].join(' '),
  };
  return new Map(Object.entries(fields));
}
