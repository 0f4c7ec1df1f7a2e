import type { ConfigProblem } from '../jail-spec.ts';

/** A value as a file has it, and where. */
export interface Located {
  readonly value: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The options of a section, by lower-case name, in the order of the file. */
export type Section = ReadonlyMap<string, Located>;

/** One parsed configuration file. */
export interface ConfFile {
  /** Its path, for messages. */
  readonly file: string;
  readonly defaults: Section;
  readonly sections: ReadonlyMap<string, Section>;
  /** Lines that could not be used; the rest of the file stands. */
  readonly problems: readonly ConfigProblem[];
}

/** `file:line`. */
export function place({ file, line }: Pick<Located, 'file' | 'line'>): string {
  return `${file}:${line}`;
}

interface OpenOption {
  readonly name: string;
  readonly line: number;
  readonly lines: string[];
}

/**
 * Parses the dialect of Python's ConfigParser as fail2ban sets it up: `[section]`, `key = value` or `key: value`,
 * keys in any case, `#` and `;` comment lines, ` ;` inline comments, indented continuation lines. Never throws: what
 * can't be used is a problem of the result, and an option or section that comes twice is one too (the later value
 * stands).
 */
export function parseConfFile(text: string, file: string): ConfFile {
  return new ConfFileParser(file).parse(text);
}

class ConfFileParser {
  readonly #file: string;
  readonly #defaults = new Map<string, Located>();
  readonly #sections = new Map<string, Map<string, Located>>();
  readonly #problems: ConfigProblem[] = [];
  #section: Map<string, Located> | undefined;
  #sectionName = '';
  #option: OpenOption | undefined;
  #indent = 0;
  #headless = false;

  constructor(file: string) {
    this.#file = file;
  }

  parse(text: string): ConfFile {
    const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
    for (const [index, line] of lines.entries()) this.#line(line, index + 1);
    this.#close();
    return { file: this.#file, defaults: this.#defaults, sections: this.#sections, problems: this.#problems };
  }

  #line(line: string, number: number): void {
    const comment = commentStart(line);
    const content = line.slice(0, comment).trim();
    if (content === '') {
      // An empty line belongs to the value, a comment doesn't.
      if (comment === undefined) this.#option?.lines.push('');
      return;
    }
    const indent = line.search(/\S/);
    if (this.#option && indent > this.#indent) {
      this.#option.lines.push(content);
      return;
    }
    this.#indent = indent;
    const header = /^\[(.+)\]/.exec(content)?.[1];
    if (header !== undefined) this.#header(header, number);
    else if (this.#section) this.#keyAndValue(content, number);
    else this.#stray(content, number);
  }

  #header(name: string, number: number): void {
    this.#close();
    this.#sectionName = name;
    if (name === 'DEFAULT') {
      this.#section = this.#defaults;
      return;
    }
    const known = this.#sections.get(name);
    if (known) this.#problem(number, `section [${name}] comes twice`, 'merge the two into one');
    this.#section = known ?? new Map();
    this.#sections.set(name, this.#section);
  }

  #keyAndValue(content: string, number: number): void {
    this.#close();
    const match = /^(.*?)\s*[=:]\s*(.*)$/.exec(content);
    const name = match?.[1]?.toLowerCase();
    if (!match || !name) {
      this.#problem(
        number,
        `${JSON.stringify(shorten(content))} is neither "option = value" nor a continuation of the line before`,
        'write "option = value", indent it to continue the value above, or begin it with # to make it a comment',
      );
      return;
    }
    if (this.#section?.has(name)) {
      this.#problem(number, `option ${name} comes twice in [${this.#sectionName}]`, 'keep one of them');
    }
    this.#option = { name, line: number, lines: [match[2]!] };
  }

  #stray(content: string, number: number): void {
    if (this.#headless) return;
    this.#headless = true;
    this.#problem(
      number,
      `${JSON.stringify(shorten(content))} stands before the first section`,
      'put a section such as [DEFAULT] or [Definition] above it',
    );
  }

  #close(): void {
    const option = this.#option;
    this.#option = undefined;
    if (!option || !this.#section) return;
    const value = option.lines.join('\n').trimEnd();
    this.#section.delete(option.name);
    this.#section.set(option.name, { value, file: this.#file, line: option.line });
  }

  #problem(line: number, message: string, fix: string): void {
    this.#problems.push({ severity: 'warn', where: place({ file: this.#file, line }), message, fix });
  }
}

/** Where a comment begins: at once for a comment line, else at the first `;` behind white space. */
function commentStart(line: string): number | undefined {
  if (/^\s*[#;]/.test(line)) return 0;
  const inline = /\s;/.exec(line);
  return inline ? inline.index + 1 : undefined;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
