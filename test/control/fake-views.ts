import type { TransferredBan } from '../../src/control/api.ts';
import type { StreamedEvent, Views } from '../../src/control/controller.ts';

/** Views of a controller whose jail `nginx-proxy` bans 20.247.234.38; events come from the test. */
export class FakeViews implements Views {
  readonly imported: TransferredBan[] = [];
  readonly watchers = new Set<(event: StreamedEvent) => void>();
  readonly held: StreamedEvent[] = [];

  readonly events = {
    after: (id: number) => this.held.filter((event) => event.id > id),
    subscribe: (take: (event: StreamedEvent) => void) => {
      this.watchers.add(take);
      return () => void this.watchers.delete(take);
    },
  };

  /** Makes an event happen. */
  tell(event: string, jail: string, ip: string): void {
    const id = 1000 + this.held.length;
    const msg = `[${jail}] ${event === 'ban' ? 'Ban' : 'Found'} ${ip}`;
    const fields = { id, time: '2026-11-22T13:44:53.000Z', level: 'info', event, jail, ip, msg };
    const streamed = { id, event, jail, json: JSON.stringify(fields) };
    this.held.push(streamed);
    for (const watch of this.watchers) watch(streamed);
  }

  stats() {
    return {
      version: '0.1.0',
      started: '2026-11-22T12:00:00.000Z',
      uptime: 6293,
      memory: { resident: 86_000_000, heap: 12_000_000 },
      store: { trouble: null, waiting: 0 },
      jails: [
        {
          jail: 'nginx-proxy',
          active: true,
          failures: 20,
          bans: 4,
          restored: 1,
          unbans: 3,
          uncorroborated: 0,
          currentlyFailed: 1,
          currentlyBanned: 1,
          lastMinute: { failures: 5, bans: 1 },
          remembered: { addresses: 3, bans: 7 },
        },
      ],
      sources: [
        {
          source: '/var/log/syslog',
          lines: 100,
          bytes: null,
          matched: 20,
          cut: 0,
          gaps: 0,
          dropped: 0,
        },
      ],
      offenders: [{ ip: '20.247.234.38', bans: 3, jails: ['nginx-proxy'], last: '2026-11-22T13:44:53.000Z' }],
      days: [{ day: '2026-11-22', addresses: 3 }],
    };
  }

  why(ip: string) {
    const isKnown = ip === '20.247.234.38';
    const ban = {
      ip,
      since: '2026-11-22T13:44:53.000Z',
      until: '2026-11-22T13:54:53.000Z',
      count: 3,
      failures: 5,
      container: 'nginx-proxy',
      lines: [`app ${ip} - - "GET /\u001b[2J" 404`],
    };
    const jail = {
      jail: 'nginx-proxy',
      active: true,
      countsAs: ip,
      failures: null,
      bans: [ban],
      past: [],
      ignoredBy: null,
    };
    return { ip, neverBanned: null, jails: isKnown ? [jail] : [], events: [] };
  }

  *export() {
    yield '{"dock2ban":"0.1.0","export":1,"exported":"2026-11-22T13:44:53.000Z","bans":[\n';
    yield '{"jail":"nginx-proxy","ip":"20.247.234.38","since":"2026-11-22T13:44:53.000Z","until":null,"count":3,"failures":5,"container":null,"lines":[],"active":true}';
    yield '\n]}\n';
  }

  async import(bans: readonly TransferredBan[]) {
    this.imported.push(...bans);
    return { active: bans.length, remembered: 0, enforced: 0, waiting: { sshd: bans.length }, refused: [] };
  }
}
