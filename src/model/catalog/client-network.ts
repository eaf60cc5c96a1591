import { entry, here } from './entry.ts';
import { client } from '../subject.ts';

/** What only a doctor finds out about the network in which it stands. */
export const clientNetworkCatalog = {
  CAPTIVE_PORTAL: entry<{ readonly seen: string; readonly location: string | null }>({
    severity: 'error',
    subject: client,
    example: {
      seen: 'HTTP 511 in answer to a request to 203.0.113.10',
      location: 'http://login.example.net/',
    },
    title: () => 'This network wants a login before it lets anything out',
    cause: () =>
      'A captive portal, as in hotels and trains, keeps this machine from the internet until somebody logs in with a browser. Nothing that was seen from here says anything about the server.',
    proof: (e) => `It shows itself by ${e.seen}.`,
    fix: (e) => [
      e.location === null
        ? 'open any page in a browser, and log in where it leads'
        : `log in with a browser at ${e.location}`,
      here('nmcli networking connectivity check'),
      'then run this again, or from another network',
    ],
    explanation:
      'Told by NetworkManager, which asks for itself, or by status 511 in answer to a plain HTTP request to an address of the server: no server sends it, only what stands in between. The request is sent only where nothing proved that packets get to the server.',
    confusedWith: [
      'PORT_BLOCKED, UDP_BLOCKED: there a firewall drops some of what leaves, and lets pass the rest.',
      'A redirection on port 80 to another name: a web server may do so too, and it is not taken for a portal.',
    ],
    references: ['RFC 6585 §6', 'RFC 8952 §2.6'],
  }),
} as const;
