import { describe, expect, it } from 'vitest';
import type { JailSpec } from '../../../src/config/jail-spec.ts';
import { checkDirect } from '../../../src/doctor/checks/check-direct.ts';
import { jailSpec } from '../../jail/jail-spec.ts';
import { ScriptedTools } from '../../firewall/scripted-tools.ts';

const command = 'nft -j -t list ruleset netdev';
const path = (parent: string) => ({ parent, addresses: ['192.0.2.200'], closes: 'all' as const });

function spec(...parents: string[]): JailSpec {
  return { ...jailSpec(), name: 'tv', ...(parents.length > 0 && { direct: parents.map(path) }) };
}

function listing(...chains: string[]): string {
  const own = { family: 'netdev', table: 'dock2ban' };
  return JSON.stringify({
    nftables: [
      { table: { family: 'netdev', name: 'dock2ban', handle: 1 } },
      ...chains.map((name, i) => ({ chain: { ...own, name, handle: i + 2 } })),
    ],
  });
}

describe('containers on macvlan and ipvlan', () => {
  it('cost no look where there are none', async () => {
    expect(await checkDirect(new ScriptedTools([]), [spec()])).toEqual([]);
  });

  it('are found guarded or not by interface', async () => {
    const tools = new ScriptedTools([{ command, stdout: listing('direct-eth0', 'ingress-eth0') }]);
    expect(await checkDirect(tools, [spec('eth0', 'eth1'), spec('eth0')])).toMatchObject([
      { severity: 'ok' },
      { severity: 'error', what: 'the table netdev dock2ban does not hang at ingress of eth1' },
    ]);
  });

  it('are untested where the kernel cannot be asked', async () => {
    const tools = new ScriptedTools([{ command, stderr: 'Operation not permitted (you must be root)' }]);
    expect(await checkDirect(tools, [spec('eth0')])).toMatchObject([{ severity: 'untested' }]);
  });
});
