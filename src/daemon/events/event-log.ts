import type { Entry } from './entry.ts';
import type { EventSink } from './event-feed.ts';
import { hostEvents } from './host-events.ts';
import { jailEvents } from './jail-events.ts';
import { sourceEvents } from './source-events.ts';

const allEvents = (dryRun: boolean) => ({ ...hostEvents, ...jailEvents(dryRun), ...sourceEvents });

type Entries = ReturnType<typeof allEvents>;

/** The product's events: each is logged by the function of its name, with its fields and wording in one place. */
export type EventLog = {
  readonly [Name in keyof Entries]: (...args: Parameters<Entries[Name]>) => void;
};

/** @param dryRun bans are only reported */
export function eventLog(sink: EventSink, dryRun = false): EventLog {
  const logged = Object.entries<(...args: never[]) => Entry>(allEvents(dryRun)).map(([name, entryOf]) => [
    name,
    (...args: never[]): void => {
      const { level, fields, msg } = entryOf(...args);
      sink[level](fields, msg);
    },
  ]);
  return Object.fromEntries(logged);
}
