import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSavedRules } from '../../src/doctor/checks/check-saved-rules.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-saved-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a script in an empty network namespace, as a host is at boot. */
function inEmptyNamespace(script: string) {
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-ec', script], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return { status, stdout, stderr };
}

const ownRule = '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT';

describe('saved rules', () => {
  it("with dock2ban's fail as a whole at boot; saved as doctor says, they load", () => {
    const path = join(folder, 'rules.v4');
    const [{ remedy = '' } = {}] = checkSavedRules([{ path, text: '-A INPUT -j DOCK2BAN\n' }]);
    const save = remedy.replace(/^save without them: /, '').replace(path, join(folder, 'clean'));
    const made = inEmptyNamespace(`
      ipset create dock2ban-4 hash:net
      iptables ${ownRule}
      iptables -N DOCK2BAN
      iptables -I INPUT -j DOCK2BAN
      iptables -A DOCK2BAN -m set --match-set dock2ban-4 src -j DROP
      iptables-save > ${path}
      ${save}`);
    expect(made).toMatchObject({ status: 0 });
    expect(checkSavedRules([{ path, text: readFileSync(path, 'utf8') }])).toMatchObject([
      { severity: 'warning' },
    ]);

    const failed = inEmptyNamespace(`iptables-restore < ${path} || { iptables-save >&2; exit 9; }`);
    expect(failed.status).toBe(9);
    expect(failed.stderr).toContain("Set dock2ban-4 doesn't exist");
    expect(failed.stderr).not.toContain(ownRule);

    const clean = join(folder, 'clean');
    expect(checkSavedRules([{ path: clean, text: readFileSync(clean, 'utf8') }])).toMatchObject([
      { severity: 'ok' },
    ]);
    expect(inEmptyNamespace(`iptables-restore < ${clean}; iptables-save`).stdout).toContain(ownRule);
  });
});
