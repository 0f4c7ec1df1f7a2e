/** Where a date may stand: anywhere, between word boundaries, or at the begin of a line. */
export type Boundary = 'none' | 'end-of-word' | 'word' | 'line-begin';

export interface BoundTemplate {
  /** With a group 1, and with the boundaries that it needs. */
  readonly expression: string;
  readonly lineBegin: boolean;
  readonly lineEnd: boolean;
  /** Whether the bound to the begin of the line was added here. */
  readonly marked: boolean;
  /** Whether group 1 is everything between the boundaries. */
  readonly whole: boolean;
  /** Whether a bound at the end was added here. */
  readonly boundEnd: boolean;
}

/**
 * Gives a date's expression its boundaries and its group 1, by fail2ban's rules (1.0, server/datetemplate.py): a pattern
 * that begins or ends with an anchor, a word boundary or `**` gets none on that side, and `**` is removed.
 */
export function boundTemplate(source: string, boundary: Boundary): BoundTemplate {
  let expression = source.trim();
  const flags = /\(\?[a-z]+\)/.exec(expression)?.[0] ?? '';
  if (flags !== '') expression = expression.replace(flags, '');
  const atBegin = boundary === 'line-begin';
  const boundBegin = boundary !== 'none' && boundary !== 'end-of-word' && !ownsBegin.test(expression);
  const boundEnd = boundary !== 'none' && !ownsEnd.test(expression);
  const whole = !hasGroup.test(expression);
  if (whole) expression = expression.replace(/^((?:\(\?\w+\))?\^?(?:\(\?\w+\))?)(.*?)(\$?)$/s, '$1($2)$3');
  if (boundBegin) expression = (atBegin ? String.raw`^(?:\W{0,2})?` : String.raw`(?=^|\b|\W)`) + expression;
  if (boundEnd) expression += String.raw`(?=\b|\W|$)`;
  const lineBegin = (boundBegin && atBegin) || /^(?:\(\?\w+\))?(?:\^|\((?:\?:)?\^(?!\|))/.test(expression);
  const lineEnd = /(?<![\\|])\$\)?$/.test(expression);
  expression = expression.replace(/^\(*(?:\(\?\w+\))?\(*\*\*|(?<!\\)\*\*\)*$/g, (text) =>
    text.replace('**', ''),
  );
  return {
    expression: flags + expression,
    lineBegin,
    lineEnd,
    marked: boundBegin && atBegin,
    whole,
    boundEnd,
  };
}

/** A plain group; neither an escaped parenthesis nor a conditional's. */
const hasGroup = /(?<!\(\?)(?<!\\)\((?!\?)/;
const ownsBegin = /^\(*(?:\(\?\w+\))?(?:\^|\(*\*\*|\((?:\?:)?\^)/;
const ownsEnd = /(?<!\\)(?:\$\)?|\\b|\\s|\*\*\)*)$/;
