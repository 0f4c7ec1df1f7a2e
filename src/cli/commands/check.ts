import { defineCommand } from '../command.ts';
import { output } from '../output.ts';
import { dockerNow } from './docker-now.ts';
import { builtinDir, configDir, dockerHost, environmentPolicy, withJson } from './options.ts';

export const command = defineCommand(
  'check',
  'Validate the configuration and the labels of all running containers; changes nothing',
  (parser) => parser.options({ 'docker-host': dockerHost, 'config-dir': configDir, json: withJson.json }),
  async (argv) => {
    const { check } = await import('../check/command.ts');
    const docker = () => dockerNow(argv.dockerHost);
    const context = { configDir: argv.configDir, builtinDir, policy: environmentPolicy(), docker };
    return check(context, argv.json, output.print);
  },
);
