import { createRequire } from 'node:module';

/** dock2ban's own. */
export const { version }: { version: string } = createRequire(import.meta.url)('../../package.json');
