import type { EvidenceSection, ServerEvidence } from '../../src/model/server-evidence.ts';

/** Of a machine with nothing on it: the sections that every Linux has. */
const bare: Readonly<Record<string, string>> = {
  id: '0\n',
  uname: 'Linux 6.1.0-18-amd64 x86_64\n',
  'sockets tcp': '',
  'sockets udp': '',
  'nft-json': '{"nftables": []}',
  'nft-text': '',
};
const nothing: Readonly<Record<string, string>> = {
  'iptables-legacy': 'absent',
  'ip6tables-legacy': 'absent',
};

/** What a server told: the texts of sections that ended well, and how others ended. */
export function serverEvidence(
  texts: Readonly<Record<string, string>>,
  ended: Readonly<Record<string, string>> = {},
): ServerEvidence {
  const sections: Record<string, EvidenceSection> = {};
  for (const [name, text] of Object.entries({ ...bare, ...texts })) sections[name] = { status: '0', text };
  for (const [name, status] of Object.entries({ ...nothing, ...ended }))
    sections[name] = { status, text: '' };
  return {
    server: 'root@turn.example.org',
    takenAt: '2026-11-21T12:00:00.000Z',
    firstClockMs: 300,
    lastClockMs: 1200,
    sections,
  };
}
