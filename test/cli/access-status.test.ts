import { describe, expect, it } from 'vitest';
import { status } from '../../src/cli/commands/status.ts';
import type { AccessStatus } from '../../src/control/api.ts';
import { ControlClient } from '../../src/control/client.ts';
import { fakeController } from '../control/fake-controller.ts';

/** A client whose controller says this. */
class FakeClient extends ControlClient {
  readonly #access: readonly AccessStatus[] | undefined;

  constructor(access: readonly AccessStatus[] | undefined) {
    super('/nowhere');
    this.#access = access;
  }

  override async status() {
    return { ...fakeController().status(), ...(this.#access && { access: this.#access }) };
  }
}

async function printed(access: readonly AccessStatus[] | undefined, json = false): Promise<string> {
  let text = '';
  await status(new FakeClient(access), undefined, json, (each) => void (text += each));
  return text;
}

describe('status', () => {
  const access: AccessStatus[] = [
    { container: 'web', ports: ['80/tcp', '443/tcp'], allowfrom: ['192.0.2.0/24'], denyfrom: ['192.0.2.7'] },
    { container: 'db', ports: ['5432/tcp'], allowfrom: [], denyfrom: [] },
  ];

  it("tells below fail2ban's tree who gets to which container", async () => {
    expect(await printed(access)).toBe(
      [
        'Status',
        '|- Number of jail:\t1',
        '`- Jail list:\tnginx-proxy',
        'Access to web: 80/tcp, 443/tcp denied from 192.0.2.7; allowed from 192.0.2.0/24',
        'Access to db: 5432/tcp allowed from nowhere',
        '',
      ].join('\n'),
    );
  });

  it('says nothing of it where no label does, or an older controller does not know', async () => {
    for (const each of [[], undefined]) expect(await printed(each)).not.toContain('Access');
  });

  it('has it in JSON', async () => {
    expect(JSON.parse(await printed(access, true))).toMatchObject({ access });
  });
});
