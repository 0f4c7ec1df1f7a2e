import * as z from 'zod';

// The engine's answers as far as they are read here; field names are the Engine API's. What an old or foreign engine
// (Podman) leaves out or sets to null is nullish.

const stringMap = z.record(z.string(), z.string()).nullish();

/** `GET /version`. */
export const engineVersion = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  MinAPIVersion: z.string().nullish(),
});

/** `GET /info`. FirewallBackend: API 1.49 on. */
export const engineInfo = z.object({
  FirewallBackend: z.object({ Driver: z.string().nullish() }).nullish(),
});

/** `GET /containers/json`. */
export const containerList = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    State: z.string(),
    Labels: stringMap,
    /** Not read but by `PortOwners`, which takes what it can. */
    Ports: z.unknown(),
    /** Only compared, never read. */
    NetworkSettings: z.unknown(),
  }),
);

const portBindings = z
  .record(
    z.string(),
    z.array(z.object({ HostIp: z.string().nullish(), HostPort: z.string().nullish() })).nullish(),
  )
  .nullish();

/** `GET /containers/ID/json`. Image is the image's id, Config.Image the name it was started by. */
export const inspectedContainer = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  Image: z.string(),
  Path: z.string().nullish(),
  Args: z.array(z.string()).nullish(),
  State: z.object({ StartedAt: z.string().nullish() }).nullish(),
  Config: z.object({ Image: z.string().nullish(), Labels: stringMap, Tty: z.boolean().nullish() }),
  HostConfig: z.object({
    NetworkMode: z.string().nullish(),
    // Of containers that don't run: whatever an engine says there, the others are none the worse for it.
    PortBindings: portBindings.catch(undefined),
    PublishAllPorts: z.boolean().nullish().catch(undefined),
    LogConfig: z.object({ Type: z.string().nullish(), Config: stringMap }).nullish(),
  }),
  NetworkSettings: z
    .object({
      Ports: portBindings,
      Networks: z
        .record(
          z.string(),
          z.object({ IPAddress: z.string().nullish(), GlobalIPv6Address: z.string().nullish() }).nullish(),
        )
        .nullish(),
    })
    .nullish(),
});

/** `GET /images/ID/json`. */
export const inspectedImage = z.object({ Config: z.object({ Labels: stringMap }).nullish() });

/** `GET /networks`. */
export const networkList = z.array(
  z.object({
    Name: z.string(),
    Driver: z.string(),
    IPAM: z
      .object({
        Config: z.array(z.object({ Subnet: z.string().nullish(), Gateway: z.string().nullish() })).nullish(),
      })
      .nullish(),
    Options: stringMap,
  }),
);

/** `GET /services`. */
export const serviceList = z.array(
  z.object({
    ID: z.string(),
    Spec: z.object({ Name: z.string().nullish(), Labels: stringMap }).nullish(),
    Endpoint: z
      .object({
        Ports: z
          .array(
            z.object({
              Protocol: z.string().nullish(),
              TargetPort: z.number().nullish(),
              PublishedPort: z.number().nullish(),
              PublishMode: z.string().nullish(),
            }),
          )
          .nullish(),
      })
      .nullish(),
  }),
);

export type EngineVersion = z.infer<typeof engineVersion>;
export type EngineInfo = z.infer<typeof engineInfo>;
export type ListedContainer = z.infer<typeof containerList>[number];
export type InspectedContainer = z.infer<typeof inspectedContainer>;
export type ListedNetwork = z.infer<typeof networkList>[number];
export type ListedService = z.infer<typeof serviceList>[number];
