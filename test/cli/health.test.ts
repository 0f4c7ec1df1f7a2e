import { describe, expect, it } from 'vitest';
import { health } from '../../src/cli/commands/health.ts';
import { fakeController } from '../control/fake-controller.ts';

async function asked(unhealthy: readonly string[], json = false) {
  let printed = '';
  const client = { status: async () => ({ ...fakeController().status(), unhealthy }) };
  const exitCode = await health(client, json, (text) => void (printed += text));
  return { exitCode, printed };
}

describe('health', () => {
  it('is the answer yes', async () => {
    expect(await asked([])).toEqual({ exitCode: 0, printed: 'healthy\n' });
  });

  it('is the answer no, with each reason on a line', async () => {
    const reasons = ["Docker can't be reached: no\nsuch", 'no log can be read: docker:web'];
    const { exitCode, printed } = await asked(reasons);
    expect(exitCode).toBe(1);
    expect(printed).toMatch(/^Docker can't be reached: no.+such\nno log can be read: docker:web\n$/);
  });

  it('is an object for programs', async () => {
    const { exitCode, printed } = await asked(['x'], true);
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed)).toEqual({ healthy: false, unhealthy: ['x'] });
  });
});
