import { z } from 'zod';
import { canonicalAddress } from '../address.ts';

const address = z.string().transform((text, context) => {
  const ip = canonicalAddress(text);
  if (ip !== undefined) return ip;
  context.addIssue({ code: 'custom', message: `'${text}' is no IP address` });
  return z.NEVER;
});

/** At most this many addresses in one request. */
const mostAddresses = 10_000;

export const banRequest = z.strictObject({
  jail: z.string(),
  ips: z.array(address).min(1).max(mostAddresses),
});

export const unbanRequest = z.strictObject({
  jail: z.string().optional(),
  ips: z.array(address).max(mostAddresses),
});
