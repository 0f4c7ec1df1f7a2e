import type { DockerView } from '../check/command.ts';

/** The running containers with a `fail2ban.` label, and all networks, at this moment. @throws Dock2banError if Docker can't be asked */
export async function dockerNow(dockerHost: string): Promise<DockerView> {
  const { engineConnector } = await import('../../docker/engine/engine-connector.ts');
  const { EngineView } = await import('../../docker/engine-view.ts');
  const signal = AbortSignal.timeout(10_000);
  return new EngineView({ patience: 5_000 }).look(await engineConnector(dockerHost)(signal), signal);
}
