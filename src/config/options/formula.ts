import { ConfigError } from '../conf/config-error.ts';
import { formulaTokens, type Token } from './formula-tokens.ts';

/** An arithmetic expression, parsed. Evaluating it runs no code but the operators and functions named here. */
export type Formula =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: '+' | '-' | 'not'; readonly operand: Formula }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Formula; readonly right: Formula }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Formula[] }
  | { readonly kind: 'if'; readonly test: Formula; readonly yes: Formula; readonly no: Formula };

const deepest = 60;

type Numeric = (...values: number[]) => number;

const functions = new Map<string, { readonly arity: readonly [number, number]; readonly apply: Numeric }>([
  ['min', { arity: [2, 20], apply: Math.min }],
  ['max', { arity: [2, 20], apply: Math.max }],
  ['abs', { arity: [1, 1], apply: (x) => Math.abs(x) }],
  ['int', { arity: [1, 1], apply: (x) => Math.trunc(x) }],
  ['float', { arity: [1, 1], apply: (x) => x }],
  ['pow', { arity: [2, 2], apply: (x, y) => x ** y }],
  ['math.pow', { arity: [2, 2], apply: (x, y) => x ** y }],
  ['math.exp', { arity: [1, 1], apply: (x) => Math.exp(x) }],
  [
    'math.log',
    {
      arity: [1, 2],
      apply: (x, base) => (base === undefined ? Math.log(x) : Math.log(x) / Math.log(base)),
    },
  ],
  ['math.sqrt', { arity: [1, 1], apply: (x) => Math.sqrt(x) }],
  ['math.floor', { arity: [1, 1], apply: (x) => Math.floor(x) }],
  ['math.ceil', { arity: [1, 1], apply: (x) => Math.ceil(x) }],
]);

/** From the loosest to the tightest; unary signs and `**` bind tighter still. */
const binaryLevels: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['<', '>', '<=', '>=', '==', '!='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%'],
];

const words = new Set(['if', 'else', 'and', 'or', 'not']);

/**
 * Parses an arithmetic expression in Python's spelling: + - * / // % ** << >>, comparisons, and/or/not,
 * `x if c else y`, parentheses, min, max, int, float, abs, pow and a few of `math`.
 *
 * @param variables the names that it may use
 * @throws ConfigError that names what is wrong and where in `text`
 */
export function parseFormula(text: string, variables: readonly string[]): Formula {
  return new Parser(text, variables).parse();
}

class Parser {
  readonly #text: string;
  readonly #variables: readonly string[];
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string, variables: readonly string[]) {
    this.#text = text;
    this.#variables = variables;
    this.#tokens = formulaTokens(text);
  }

  parse(): Formula {
    const formula = this.#conditional();
    if (this.#peek().kind !== 'end') throw this.#unexpected('an operator');
    return formula;
  }

  #conditional(): Formula {
    this.#depth += 1;
    if (this.#depth > deepest) throw new ConfigError('expression nested too deep', 'simplify it');
    const yes = this.#binary(0);
    let formula = yes;
    if (this.#take('if')) {
      const test = this.#binary(0);
      this.#expect('else');
      formula = { kind: 'if', test, yes, no: this.#conditional() };
    }
    this.#depth -= 1;
    return formula;
  }

  #binary(level: number): Formula {
    const operators = binaryLevels[level];
    if (!operators) return this.#unary();
    if (level === 2 && this.#take('not')) {
      return { kind: 'unary', operator: 'not', operand: this.#nested(() => this.#binary(level)) };
    }
    let left = this.#binary(level + 1);
    for (;;) {
      const operator = this.#peek().text;
      if (this.#peek().kind === 'end' || !operators.includes(operator)) return left;
      this.#next += 1;
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): Formula {
    const sign = this.#take('-') ? '-' : this.#take('+') ? '+' : undefined;
    if (sign) return { kind: 'unary', operator: sign, operand: this.#nested(() => this.#unary()) };
    const base = this.#primary();
    if (!this.#take('**')) return base;
    return { kind: 'binary', operator: '**', left: base, right: this.#nested(() => this.#unary()) };
  }

  #primary(): Formula {
    const token = this.#peek();
    if (token.kind === 'number') {
      this.#next += 1;
      return { kind: 'number', value: Number(token.text) };
    }
    if (token.kind === 'name' && !words.has(token.text)) {
      this.#next += 1;
      return this.#take('(') ? this.#call(token) : this.#variable(token);
    }
    if (!this.#take('(')) throw this.#unexpected('a number');
    const inner = this.#conditional();
    this.#expect(')');
    return inner;
  }

  #call({ text: name, at }: Token): Formula {
    const known = functions.get(name);
    if (!known) {
      throw new ConfigError(
        `unknown function ${name} at position ${at + 1} of ${JSON.stringify(this.#text)}`,
        `use one of ${[...functions.keys()].join(', ')}`,
      );
    }
    const values = [this.#conditional()];
    while (this.#take(',')) values.push(this.#conditional());
    this.#expect(')');
    const [fewest, most] = known.arity;
    if (values.length < fewest || values.length > most) {
      throw new ConfigError(
        `${name} with ${values.length} arguments in ${JSON.stringify(this.#text)}`,
        `give it ${fewest}`,
      );
    }
    return { kind: 'call', name, arguments: values };
  }

  #variable({ text: name, at }: Token): Formula {
    if (this.#variables.includes(name)) return { kind: 'variable', name };
    throw new ConfigError(
      `unknown word ${JSON.stringify(name)} at position ${at + 1} of ${JSON.stringify(this.#text)}`,
      this.#variables.length > 0 ? `use ${this.#variables.join(', ')} and numbers` : 'use numbers',
    );
  }

  #nested(parse: () => Formula): Formula {
    this.#depth += 1;
    if (this.#depth > deepest) throw new ConfigError('expression nested too deep', 'simplify it');
    const formula = parse();
    this.#depth -= 1;
    return formula;
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(text: string): boolean {
    const token = this.#peek();
    if (token.kind === 'end' || token.text !== text) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unexpected(JSON.stringify(text));
  }

  #unexpected(wanted: string): ConfigError {
    const { text, at, kind } = this.#peek();
    const found = kind === 'end' ? text : JSON.stringify(text);
    return new ConfigError(
      `found ${found} at position ${at + 1} of ${JSON.stringify(this.#text)}`,
      `${wanted} belongs there`,
    );
  }
}

/** The value of a formula. Infinity or NaN where arithmetic has no better answer (division by zero, overflow). */
export function evaluateFormula(formula: Formula, variables: Readonly<Record<string, number>>): number {
  const value = (part: Formula): number => evaluateFormula(part, variables);
  switch (formula.kind) {
    case 'number':
      return formula.value;
    case 'variable':
      return variables[formula.name] ?? Number.NaN;
    case 'unary': {
      const operand = value(formula.operand);
      return formula.operator === 'not' ? Number(!operand) : formula.operator === '-' ? -operand : operand;
    }
    case 'binary':
      return binary(formula.operator, value(formula.left), () => value(formula.right));
    case 'call':
      return functions.get(formula.name)!.apply(...formula.arguments.map(value));
    case 'if':
      break;
  }
  return value(formula.test) ? value(formula.yes) : value(formula.no);
}

function binary(operator: string, left: number, rightHand: () => number): number {
  if (operator === 'or') return left || rightHand();
  if (operator === 'and') return left && rightHand();
  const right = rightHand();
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '//':
      return Math.floor(left / right);
    case '%':
      // Python's remainder has the sign of the divisor.
      return left - right * Math.floor(left / right);
    case '**':
      return left ** right;
    case '<<':
      return left * 2 ** right;
    case '>>':
      return Math.floor(left / 2 ** right);
    case '<':
      return Number(left < right);
    case '>':
      return Number(left > right);
    case '<=':
      return Number(left <= right);
    case '>=':
      return Number(left >= right);
    case '==':
      return Number(left === right);
    case '!=':
      return Number(left !== right);
    default:
      throw new Error(`operator ${operator} is parsed but not evaluated`);
  }
}
