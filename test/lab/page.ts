import { readFile } from 'node:fs/promises';

/** A page of docs/, by what its reader copies: the code blocks below each heading. */
export class Page {
  readonly #sections: ReadonlyMap<string, readonly CodeBlock[]>;

  private constructor(text: string) {
    const [, ...parts] = text.split(/^## /m);
    this.#sections = new Map(
      parts.map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), codeBlocks(part.slice(end + 1))];
      }),
    );
  }

  static async read(file: string): Promise<Page> {
    return new Page(await readFile(file, 'utf8'));
  }

  /**
   * The code blocks of one language below a heading.
   *
   * @throws if there are not so many: somebody has rewritten the page, and must look at its test
   */
  blocks(heading: string, language: string, count: number): string[] {
    const section = this.#sections.get(heading);
    if (!section) throw new Error(`the page has no heading ${JSON.stringify(heading)}`);
    const found = section.filter((block) => block.language === language).map(({ text }) => text);
    if (found.length === count) return found;
    throw new Error(
      `below ${JSON.stringify(heading)} there are ${found.length} ${language} blocks, not ${count}`,
    );
  }
}

interface CodeBlock {
  readonly language: string;
  readonly text: string;
}

function codeBlocks(text: string): CodeBlock[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    text: code,
  }));
}
