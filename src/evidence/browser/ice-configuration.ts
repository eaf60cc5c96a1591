import type { IceConfiguration } from '../../model/call-recording.ts';
import { asText, member, opened, type EventValue } from './event-value.ts';

const mostUrls = 100;

/**
 * Reads an `RTCConfiguration`: JSON, or Chrome's text before 142 (`{ iceServers: [stun:…, turn:…], iceTransportPolicy: all }`).
 * Credentials are left where they are.
 * @returns null for what is none
 */
export function iceConfiguration(value: EventValue): IceConfiguration | null {
  const data = opened(value);
  if (typeof data === 'string') return /iceServers|iceTransport/.test(data) ? fromText(data) : null;
  if (typeof data !== 'object' || data === null) return null;
  const servers = member(data, 'iceServers');
  const urls: string[] = [];
  const usernames = new Set<string>();
  for (const server of Array.isArray(servers) ? servers.slice(0, mostUrls) : []) {
    // `url` is what it was called before 2013, and some still write it.
    const told: unknown = member(server, 'urls') ?? member(server, 'url');
    for (const url of Array.isArray(told) ? told.slice(0, mostUrls) : [told]) {
      if (typeof url === 'string') urls.push(withoutPassword(url));
    }
    const username = member(server, 'username');
    if (typeof username === 'string' && username !== '') usernames.add(username);
  }
  const policy = member(data, 'iceTransportPolicy') ?? member(data, 'iceTransports');
  return { urls, usernames: [...usernames], policy: policy === 'relay' ? 'relay' : 'all' };
}

/** A URI of TURN has no password in it (RFC 7065 §3.1), and yet some have: `turn:alice:secret@turn.example.com`. */
export function withoutPassword(text: string): string {
  return text.replaceAll(/\b((?:turn|stun)s?:(?:\/\/)?)[^\s@'"]{1,500}@/gi, '$1[redacted]@');
}

function fromText(text: string): IceConfiguration {
  const [, list = ''] = /iceServers:\s*\[([^\]]*(?:\[[^\]]*\][^\]]*)*)\]/.exec(asText(text)) ?? [];
  const urls = list.match(/(?:stuns?|turns?):(?:\[[^\]]*\]|[^\s,\]])+/gi) ?? [];
  const isRelay = /iceTransport(?:Policy|s):\s*"?relay/i.test(text);
  return {
    urls: urls.slice(0, mostUrls).map(withoutPassword),
    usernames: [],
    policy: isRelay ? 'relay' : 'all',
  };
}
