import * as z from 'zod';

// The engine's answers as far as they are read here; field names are the Engine API's. What an old or foreign engine
// (Podman) leaves out or sets to null is nullish. Of an entry of a list, what makes no sense counts as left out, so that as much
// of it as possible is known; an inspection that makes no sense is none at all, and what was known before stays.

const text = z.string().nullish();
const looseText = text.catch(undefined);
const stringMap = z.record(z.string(), z.string()).nullish();

/** Labels of ours whose value is no text keep what can be read of it, so that they are judged like any other wrong value. */
const labels = z.unknown().transform((value): Readonly<Record<string, string>> | undefined => {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, each]) => typeof each === 'string' || /^fail2ban\./i.test(name))
      .map(([name, each]: [string, unknown]) => [
        name,
        typeof each === 'string' ? each : typeof each === 'object' ? 'no text' : JSON.stringify(each),
      ]),
  );
});

/** `GET /version`. */
export const engineVersion = z.object({
  Version: z.string().catch(''),
  /** Goes into the path of every question. */
  ApiVersion: z.string().regex(/^\d{1,3}\.\d{1,3}$/),
  MinAPIVersion: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}$/)
    .nullish()
    .catch(undefined),
});

/** `GET /info`. FirewallBackend: API 1.49 on. */
export const engineInfo = z.object({
  FirewallBackend: z.object({ Driver: looseText }).nullish().catch(undefined),
  OperatingSystem: looseText,
  SecurityOptions: z.array(z.string()).nullish().catch(undefined),
  Swarm: z.object({ LocalNodeState: looseText }).nullish().catch(undefined),
});

/** An entry of `GET /containers/json`. */
export const listedContainer = z.object({
  Id: z.string().regex(/^[\da-f]{64}$/),
  Names: z.array(z.string()).nullish().catch(undefined),
  Image: looseText,
  ImageID: looseText,
  Created: z.number().nullish().catch(undefined),
  /** One that nobody knows counts as running. */
  State: z.string().catch('running'),
  /** Undefined: not to be read. */
  Labels: labels,
  HostConfig: z.object({ NetworkMode: looseText }).nullish().catch(undefined),
  /** Each is judged by `listedPorts`. */
  Ports: z.array(z.unknown()).nullish().catch(undefined),
  NetworkSettings: z
    .object({
      Networks: z.record(
        z.string(),
        z
          .object({
            NetworkID: looseText,
            EndpointID: looseText,
            IPAddress: looseText,
            GlobalIPv6Address: looseText,
          })
          .nullish()
          .catch(undefined),
      ),
    })
    .nullish()
    .catch(undefined),
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
    PublishAllPorts: z.boolean().nullish().catch(undefined),
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
  Ingress: z.boolean().nullish().catch(undefined),
  Driver: looseText,
  EnableIPv6: z.boolean().nullish().catch(undefined),
  IPAM: z
    .object({
      Config: z
        .array(z.object({ Subnet: looseText, Gateway: looseText }).catch({}))
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
  Options: z.record(z.string(), z.unknown()).nullish().catch(undefined),
});

const port = z.int().min(1).max(65_535);

/** An entry of `GET /services`. */
export const listedService = z.object({
  ID: z.string(),
  Spec: z.object({ Name: looseText, Labels: labels }).nullish().catch(undefined),
  Endpoint: z
    .object({
      Ports: z
        .array(
          z
            .object({
              Protocol: looseText,
              TargetPort: port.nullish().catch(undefined),
              PublishedPort: port.nullish().catch(undefined),
              PublishMode: looseText,
            })
            .catch({}),
        )
        .nullish()
        .catch(undefined),
    })
    .nullish()
    .catch(undefined),
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
