import { z } from 'zod';
import { canonicalPrefix } from '../net/address.ts';

/** An address or prefix, made canonical. */
const address = z.string().transform((text, context) => {
  const ip = canonicalPrefix(text);
  if (ip !== undefined && !ip.endsWith('/0')) return ip;
  const message =
    ip === undefined
      ? `'${text}' is no IP address or prefix (192.0.2.7, 192.0.2.0/24)`
      : `'${text}' is every address; name a longer prefix`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** At most this many addresses and prefixes in one request. */
const mostAddresses = 10_000;

export const banRequest = z.strictObject({
  jail: z.string(),
  ips: z.array(address).min(1).max(mostAddresses),
});

export const unbanRequest = z.strictObject({
  jail: z.string().optional(),
  ips: z.array(address).max(mostAddresses),
});
