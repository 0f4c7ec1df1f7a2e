import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allSet, isOurSet, jailSet } from '../../../src/firewall/bans/set-names.ts';

describe('jailSet', () => {
  it('keeps a plain name', () => {
    expect(jailSet('nginx-proxy', 4)).toBe('dock2ban-4-nginx-proxy');
    expect(jailSet('nginx-proxy', 6)).toBe('dock2ban-6-nginx-proxy');
  });

  it('is a name the kernel takes, a word of its own, and ours, whatever the jail is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (jail) => {
        const name = jailSet(jail, 4);
        expect(name).toMatch(/^dock2ban-4-[\w.-]{1,20}$/);
        expect(isOurSet(name)).toBe(true);
        expect(name).not.toBe(allSet(4));
      }),
    );
  });

  it('carries a hash of 64 bits or more wherever the name is not whole', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 20, maxLength: 300, unit: 'binary' }), (jail) => {
        const [, hash = ''] = /^dock2ban-4-.{8}-([\w-]+)$/.exec(jailSet(jail, 4)) ?? [];
        expect(hash.length * 6).toBeGreaterThanOrEqual(64);
      }),
    );
  });

  it('is different for different jails', () => {
    const long = 'a-jail-with-a-name-that-does-not-fit';
    const names = [long, `${long}2`, 'a b', 'a_b', 'a;b', '', 'a'].map((jail) => jailSet(jail, 4));
    expect(new Set(names).size).toBe(names.length);
  });

  it('cannot be taken by a jail that is named like the hashed set of another', () => {
    const name = jailSet('a-jail-with-a-name-that-does-not-fit', 4);
    expect(jailSet(name.slice('dock2ban-4-'.length), 4)).not.toBe(name);
  });
});

describe('isOurSet', () => {
  it.each([
    'dock2ban',
    'dock2ban-',
    'dock2ban-end',
    'dock2ban4',
    'dock2ban46',
    'crowdsec',
    'f2b-sshd',
    'my-dock2ban4',
  ])('not %s', (name) => {
    expect(isOurSet(name)).toBe(false);
  });
});
