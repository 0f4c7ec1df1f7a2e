import { z } from 'zod';
import { canonicalAddress } from '../net/address.ts';

/** Characters of an option's value, as of a label's. */
const longestValue = 16_384;
/** Entries of a list in one request. */
const mostEntries = 1000;
/** Characters of a line: longer ones aren't read of a log either. */
const longestLine = 65_536;

const jailName = z.string().min(1).max(200);
const value = z.string().max(longestValue);
const values = z.array(value.min(1)).max(mostEntries).optional();
const indexes = z.array(z.int().min(0).max(1_000_000)).max(mostEntries).optional();

/** A single address, made canonical. */
const address = z.string().transform((text, context) => {
  const ip = canonicalAddress(text);
  if (ip !== undefined) return ip;
  context.addIssue({ code: 'custom', message: `'${text.slice(0, 100)}' is no IP address` });
  return z.NEVER;
});

export const reloadRequest = z.strictObject({
  jail: jailName.optional(),
  restart: z.boolean().default(false),
});

export const editRequest = z.strictObject({
  set: z.record(z.string().max(100), value).optional(),
  addignoreip: values,
  delignoreip: values,
  addfailregex: values,
  delfailregex: indexes,
  addignoreregex: values,
  delignoreregex: indexes,
});

export const attemptRequest = z.strictObject({
  ips: z.array(address).min(1).max(mostEntries),
  lines: z.array(z.string().max(longestLine)).max(mostEntries).default([]),
});
