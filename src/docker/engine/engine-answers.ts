import * as z from 'zod';

// The engine's answers as far as they are read here; field names are the Engine API's. What an old or foreign engine
// (Podman) leaves out or sets to null is nullish. Of an entry of a list, what makes no sense counts as left out, so that as much
// of it as possible is known; an inspection that makes no sense is none at all, and what was known before stays.

const text = z.string().nullish();

function loose<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().catch(undefined);
}

const looseText = loose(z.string());
const stringMap = z.record(z.string(), z.string()).nullish();

/** Whether a label is meant for dock2ban, however it is spelled. */
export function isOurLabel(name: string): boolean {
  return /^fail2ban\./i.test(name);
}

/** Labels of ours whose value is no text keep what can be read of it, so that they are judged like any other wrong value. */
const labels = z.unknown().transform((value): Readonly<Record<string, string>> | undefined => {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, each]) => typeof each === 'string' || isOurLabel(name))
      .map(([name, each]: [string, unknown]) => [
        name,
        typeof each === 'string' ? each : typeof each === 'object' ? 'no text' : JSON.stringify(each),
      ]),
  );
});

/** Goes into the path of every question. */
const apiVersion = z.string().regex(/^\d{1,3}\.\d{1,3}$/);

/** `GET /version`. */
export const engineVersion = z.object({
  Version: z.string().catch(''),
  ApiVersion: apiVersion,
  MinAPIVersion: loose(apiVersion),
});

/** `GET /info`. FirewallBackend: API 1.49 on. */
export const engineInfo = z.object({
  FirewallBackend: loose(z.object({ Driver: looseText })),
  OperatingSystem: looseText,
  SecurityOptions: loose(z.array(z.string())),
  Swarm: loose(z.object({ LocalNodeState: looseText })),
});

/** An entry of `GET /containers/json`. */
export const listedContainer = z.object({
  Id: z.string().regex(/^[\da-f]{64}$/),
  Names: loose(z.array(z.string())),
  Image: looseText,
  ImageID: looseText,
  Created: loose(z.number()),
  /** One that nobody knows counts as running. */
  State: z.string().catch('running'),
  /** Undefined: not to be read. */
  Labels: labels,
  HostConfig: loose(z.object({ NetworkMode: looseText })),
  /** Each is judged by `listedPorts`. */
  Ports: loose(z.array(z.unknown())),
  NetworkSettings: loose(
    z.object({
      Networks: z.record(
        z.string(),
        loose(
          z.object({
            NetworkID: looseText,
            EndpointID: looseText,
            IPAddress: looseText,
            GlobalIPv6Address: looseText,
          }),
        ),
      ),
    }),
  ),
});

const portBindings = z
  .record(z.string(), z.array(z.object({ HostIp: text, HostPort: text })).nullish())
  .nullish();

/** `GET /containers/ID/json`. Image is the image's id, Config.Image the name it was started by. */
export const inspectedContainer = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: text,
  Image: text,
  Path: text,
  Args: z.array(z.string()).nullish(),
  State: z.object({ StartedAt: text }).nullish(),
  Config: z.object({ Image: text, Labels: stringMap, Tty: z.boolean().nullish() }),
  HostConfig: z.object({
    NetworkMode: text,
    // Of containers that don't run: whatever an engine says there, the others are none the worse for it.
    PortBindings: portBindings.catch(undefined),
    PublishAllPorts: loose(z.boolean()),
    LogConfig: z.object({ Type: text, Config: stringMap }).nullish(),
  }),
  NetworkSettings: z
    .object({
      Ports: portBindings,
      Networks: z
        .record(z.string(), z.object({ IPAddress: text, GlobalIPv6Address: text }).nullish())
        .nullish(),
    })
    .nullish(),
});

/** `GET /images/ID/json`. */
export const inspectedImage = z.object({ Config: z.object({ Labels: stringMap }).nullish() });

/** An entry of `GET /networks`. */
export const listedNetwork = z.object({
  Id: looseText,
  Name: z.string(),
  /** Swarm's own, which publishes the ports of services. */
  Ingress: loose(z.boolean()),
  Driver: looseText,
  EnableIPv6: loose(z.boolean()),
  IPAM: loose(
    z.object({ Config: loose(z.array(z.object({ Subnet: looseText, Gateway: looseText }).catch({}))) }),
  ),
  Options: loose(z.record(z.string(), z.unknown())),
});

/** A port's number. */
export const port = z.int().min(1).max(65_535);

/** What a service publishes. */
const servicePort = z.object({
  Protocol: looseText,
  TargetPort: loose(port),
  PublishedPort: loose(port),
  PublishMode: looseText,
});

/** An entry of `GET /services`. */
export const listedService = z.object({
  ID: z.string(),
  Spec: loose(z.object({ Name: looseText, Labels: labels })),
  Endpoint: loose(z.object({ Ports: loose(z.array(servicePort.catch({}))) })),
});

export type EngineVersion = z.infer<typeof engineVersion>;
export type EngineInfo = z.infer<typeof engineInfo>;
export type ListedContainer = z.infer<typeof listedContainer>;
export type InspectedContainer = z.infer<typeof inspectedContainer>;
export type ListedNetwork = z.infer<typeof listedNetwork>;
export type ListedService = z.infer<typeof listedService>;

/** A list's entries that can be read. */
export interface Listing<Entry> {
  readonly entries: readonly Entry[];
  /** How many can't. */
  readonly unreadable: number;
}
