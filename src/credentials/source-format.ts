import { fillTemplate, readTemplate } from '../model/template.ts';
import { iceServersOf, validityOf, type IceServer, type ServerCredential } from './server-credential.ts';

/** An ES module for browsers and Node.js. */
export function js(credential: ServerCredential): string {
  // A page may carry the module between <script> tags, which the text "</script>" would end.
  const json = JSON.stringify(iceServersOf(credential), null, 2).replaceAll('<', '\\u003c');
  return fillTemplate(readTemplate('credentials/turn.js.txt'), {
    validity: validityOf(credential),
    iceServers: json,
    expiresAt: String(credential.expiresAt),
  });
}

/** For flutter_webrtc. Dart Language Specification §17.7: in '…', \ escapes and $ interpolates. */
export function dart(credential: ServerCredential): string {
  const string = literal("'", /[\\'$]/g);
  return source('turn.dart', credential, ({ urls, username, credential: password }) => {
    const fields = [
      `'urls': [${urls.map(string).join(', ')}]`,
      ...(username === undefined ? [] : [`'username': ${string(username)}`]),
      ...(password === undefined ? [] : [`'credential': ${string(password)}`]),
    ];
    return `    {${fields.join(', ')}},`;
  });
}

/** For WebRTC on iOS. The Swift Programming Language, Lexical Structure: in "…", \ escapes and \( interpolates. */
export function swift(credential: ServerCredential): string {
  const string = literal('"', /[\\"]/g);
  return source('turn.swift', credential, ({ urls, username, credential: password }) => {
    const fields = [
      `urlStrings: [${urls.map(string).join(', ')}]`,
      ...(username === undefined ? [] : [`username: ${string(username)}`]),
      ...(password === undefined ? [] : [`credential: ${string(password)}`]),
    ];
    return `        RTCIceServer(${fields.join(', ')}),`;
  });
}

/** For WebRTC on Android. Kotlin language specification, Expressions §8.1.8: in "…", \ escapes and $ interpolates. */
export function kotlin(credential: ServerCredential): string {
  const string = literal('"', /[\\"$]/g);
  return source('turn.kt', credential, ({ urls, username, credential: password }) => {
    const calls = [
      `PeerConnection.IceServer.builder(listOf(${urls.map(string).join(', ')}))`,
      ...(username === undefined ? [] : [`.setUsername(${string(username)})`]),
      ...(password === undefined ? [] : [`.setPassword(${string(password)})`]),
      '.createIceServer()',
    ];
    return `    ${calls.join('')},`;
  });
}

function source(template: string, credential: ServerCredential, server: (each: IceServer) => string): string {
  return fillTemplate(readTemplate(`credentials/${template}`), {
    validity: validityOf(credential),
    servers: iceServersOf(credential).map(server).join('\n'),
  });
}

/** A string literal; `special` are the characters that a backslash goes before. */
function literal(quote: string, special: RegExp): (value: string) => string {
  return (value) => `${quote}${value.replaceAll(special, (sign) => `\\${sign}`)}${quote}`;
}
