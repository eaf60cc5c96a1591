import { bracketed } from '../endpoint.ts';
import { server } from '../subject.ts';
import { entry, exampleTls, listenerKeys, listenerName, serverName, type ListenerEvidence } from './entry.ts';
import { counted } from './server-log-place.ts';

/** What a certificate is to apps that have their own list of roots. */
export const nativeRootCatalog = {
  NATIVE_ROOT_MISSING: entry<ListenerEvidence & { root: string; failed: number; who: readonly string[] }>({
    severity: 'info',
    subject: server,
    distinctBy: listenerKeys,
    example: { ...exampleTls, root: 'ISRG Root X1', failed: 0, who: [] },
    title: (e) => `Native apps may refuse the certificate of ${e.host}`,
    cause: (e) =>
      `Its chain leads to ${e.root}. Browsers know that root; the list that is built into libwebrtc does not have it, and apps that verify by that list alone end the handshake with alert 48 (unknown_ca).${
        e.failed === 0
          ? ''
          : ` That is what is seen of ${e.who.length === 1 ? 'a client' : 'clients'} that this server serves otherwise.`
      }`,
    proof: (e) =>
      `${listenerName(e)} of ${serverName(e)} serves a chain that is whole and ends at ${e.root}.${
        e.failed === 0
          ? ''
          : ` The log has ${counted(e.failed, 'TLS connection')} that ended before a request, of addresses that have other sessions (${e.who.join(', ')}).`
      }`,
    fix: (e) => [
      'offer TURN without TLS beside it, as what a relay carries is encrypted already:',
      `turn:${bracketed(e.host)} and turn:${bracketed(e.host)}?transport=tcp`,
      'or take a certificate of a CA that is in that list: Google Trust Services, Sectigo (ZeroSSL), DigiCert or GlobalSign',
      'or have the app ask the system: an SSLCertificateVerifier, or a build of libwebrtc that falls back to its roots',
    ],
    explanation:
      'libwebrtc verifies TURN over TLS by a list of its own (rtc_base/ssl_roots.h): the 36 roots of Google Trust Services’ own list, those of Let’s Encrypt (ISRG) and Amazon not among them. Browsers verify by the roots of the system or their own, so that only apps fail, for phones and desktops, as long as neither they nor their SDK bring a verifier.',
    confusedWith: [
      'TLS_CHAIN_INCOMPLETE: there the intermediate certificate is missing, and some browsers fail too.',
      'CAPTURE_TLS_ALERT: the alert itself, in a capture.',
    ],
    references: ['RFC 8446 §6.2', 'RFC 5280 §6'],
  }),
} as const;
