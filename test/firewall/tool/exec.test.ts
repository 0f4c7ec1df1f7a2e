import { describe, expect, it } from 'vitest';
import { systemTools } from '../../../src/firewall/tool/exec.ts';

// Node itself stands for the tools, since it is everywhere.
const node = process.execPath;

describe('systemTools', () => {
  it('passes arguments and input as they are, through no shell, in the C locale', async () => {
    const script =
      'process.stdin.on("data", (d) => console.log(process.env.LC_ALL, process.argv[1], String(d)))';
    const { stdout } = await systemTools.run(node, ['-e', script, '$(id); *'], { input: '`id`' });
    expect(stdout).toBe('C $(id); * `id`\n');
  });

  it('classifies what a tool says when it fails', async () => {
    const script = 'console.error("ipset v7.17: Hash is full, cannot add more elements"); process.exit(1)';
    await expect(systemTools.run(node, ['-e', script])).rejects.toMatchObject({ code: 'firewall-set-full' });
  });

  it('names a missing program', async () => {
    await expect(systemTools.run('no-such-ipset', [])).rejects.toMatchObject({
      code: 'firewall-missing-binary',
    });
  });

  it('ends a tool that hangs', async () => {
    const hanging = systemTools.run(node, ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 });
    await expect(hanging).rejects.toMatchObject({ code: 'firewall-timeout' });
  });

  it('tells the owner of a conversation what is said, and its end, once', async () => {
    const heard: string[] = [];
    await new Promise<void>((resolve) => {
      const script = 'process.stdin.on("data", (d) => console.error("heard " + d))';
      const conversation = systemTools.converse(node, ['-e', script], {
        said: (text) => {
          heard.push(text.trim());
          conversation.end();
        },
        ended: () => {
          heard.push('end');
          resolve();
        },
      });
      conversation.write('hello');
    });
    expect(heard).toEqual(['heard hello', 'end']);
  });

  it('ends a conversation with a missing program', async () => {
    const ended = Promise.withResolvers<string>();
    const conversation = systemTools.converse('no-such-ipset', ['-'], {
      said: () => undefined,
      ended: () => ended.resolve('ended'),
    });
    conversation.write('add a 192.0.2.1\n');
    await expect(ended.promise).resolves.toBe('ended');
  });
});
