import type { ServerResponse } from 'node:http';

/** Ways in which an engine, or what stands before it, may answer a question, each for ever. */
export const badAnswers = {
  /** Nothing. */
  stuck: () => undefined,
  /** It sends to another place. */
  redirecting: (response: ServerResponse) => {
    response.writeHead(307, { location: 'http://127.0.0.1:1/' });
    response.end();
  },
  /** The same text, as fast as it is taken. */
  endless: (response: ServerResponse) => flood(response, ' '.repeat(65_536)),
  /** A byte now and then. */
  dripping: (response: ServerResponse) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  },
} as const;

export type BadAnswer = keyof typeof badAnswers;

export const badAnswerNames = Object.keys(badAnswers) as BadAnswer[];

/** Sends the same text for ever, as fast as it is taken. */
export function flood(response: ServerResponse, text: string): void {
  response.writeHead(200);
  const send = (): void => {
    while (!response.destroyed && response.write(text));
    if (!response.destroyed) response.once('drain', send);
  };
  send();
}
