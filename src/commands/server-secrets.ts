import { parseDirectives } from '../coturn/parse.ts';
import { Secret } from '../model/secret.ts';
import type { ServerFacts } from '../model/server-facts.ts';

const secretOption = /secret(?!-key-file|-ts-exp)|passw|pwd|userdb|statsdb|^user$/i;

/** Every value of a secret option, of the files and of the command lines; of a user the password too. */
export function secretsOf({ configurations }: ServerFacts): Secret[] {
  const texts = configurations.flatMap(({ text, argumentLines }) => [
    ...(text.state === 'seen' ? [text.value.reveal()] : []),
    argumentLines.reveal(),
  ]);
  const uncommented = texts.map((text) => text.replaceAll(/^\s*#+\s*/gm, ''));
  return [...texts, ...uncommented].flatMap(parseDirectives).flatMap(({ name, value }) => {
    if (typeof value !== 'string' || !secretOption.test(name)) return [];
    return [new Secret(name === 'user' ? value.replace(/^[^:]*:/, '') : value)];
  });
}
