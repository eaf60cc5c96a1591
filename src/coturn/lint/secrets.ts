import type { ParsedDirective } from '../parse.ts';
import { allOf, lineOf, note, textOf } from './source.ts';
import type { LintFinding, Source } from './source.ts';
import { loginOf } from './authentication.ts';

/** Secrets that are known to everyone, or can be found by trying. */
export function secretFindings(source: Source): LintFinding[] {
  const shared = allOf(source, 'static-auth-secret').flatMap((each) => weak(source, each, textOf(each), 16));
  const { kind } = loginOf(source);
  const users = (kind === 'users' ? allOf(source, 'user') : []).flatMap((each) => {
    const password = /^[^:]+:\s*(.+)$/.exec(textOf(each))?.[1];
    return password === undefined ? [] : weak(source, each, password, 8);
  });
  const admin = allOf(source, 'cli-password').flatMap((each) => weak(source, each, textOf(each), 8));
  return [...shared, ...users, ...admin];
}

function weak(
  source: Source,
  directive: ParsedDirective,
  secret: string,
  leastLength: number,
): LintFinding[] {
  const because = weakness(secret, leastLength);
  return because === null ? [] : [note('WEAK_SECRET', { ...lineOf(source, directive, 'value'), because })];
}

function weakness(secret: string, leastLength: number): string | null {
  if (secret === '') return null;
  if (examples.has(secret)) return 'it stands in the example file of coturn';
  if (common.has(secret.toLowerCase())) return 'it is one of the first that anybody tries';
  if (placeholder.test(secret)) return 'it is the placeholder of a guide, not a secret';
  if (secret.length < leastLength)
    return `it has ${secret.length} characters; ${leastLength} random ones are the least`;
  if (new Set(secret).size < 6) return 'it is made of a handful of characters, over and over';
  return null;
}

// examples/etc/turnserver.conf of every version, and the README files.
const examples: ReadonlySet<string> = new Set([
  'north',
  'key1',
  'key2',
  'password1',
  'password2',
  'qwerty',
  'youhavetoberealistic',
  '0xbc807ee29df3c9ffa736523fb2c4e8ee',
  '$5$79a316b350311570$81df9cfb9af7f5e5a76eada31e7097b663a0670f99a3c07ded3f1c8e59c5658a',
  'hieblcd8cgl99jbcl2mlcfdaakfbkka6',
  'logen',
  'ConnectionPassword',
]);

const common: ReadonlySet<string> = new Set([
  '123456',
  '12345678',
  '123456789',
  '1234567890',
  'admin',
  'coturn',
  'default',
  'guest',
  'hello',
  'mypassword',
  'mysecret',
  'openrelayproject',
  'pass',
  'passw0rd',
  'password',
  'root',
  's3cr3t',
  'secret',
  'shared-secret',
  'sharedsecret',
  'south',
  'stun',
  'supersecret',
  'test',
  'test123',
  'testing',
  'testtest',
  'turn',
  'turnpassword',
  'turnserver',
  'webrtc',
]);

const placeholder =
  /^(?:<.*>|\[.*\]|\{\{.*\}\}|\$\{?\w+\}?|_*(?:your|my|some|enter|insert|put|a|the|put)[-_ ]?(?:\w+[-_ ])*(?:secret|password|key|here)\w*|change[-_ ]?(?:me|this)\S*|replace[-_ ]?\S*|x+|\*+|\.+|secret[-_ ]?key\w*|long[-_ ]?(?:and[-_ ]?)?\w*[-_ ]?\w*secret\w*)$/i;
