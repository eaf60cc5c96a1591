/**
 * Every line that coturn 4.6.1 logs while it starts and has nothing to complain about. It marks no warnings as such,
 * so that only a list of the others tells them.
 */
const calm = [
  /^(?:Listener|Relay) address to use: \S+$/,
  /^(?:Black|White) listing: \S+$/,
  /^Config file found: \S+$/,
  /^RFC 3489\/5389\/5766\/5780\/6062\/6156 STUN\/TURN Server$/,
  /^Version Coturn-/,
  /^Max number of open files\/sockets allowed for this process: \d+$/,
  /^Due to the open files\/sockets limitation,$/,
  /^max supported number of TURN Sessions possible is: \d+ \(approximately\)$/,
  /^==== Show him the instruments, Practical Frost: ====$/,
  /^(?:TLS|DTLS|DTLS 1\.2|TURN\/STUN ALPN|Third-party authorization \(oAuth\)|GCM \(AEAD\)) supported$/,
  /^OpenSSL compile-time version: /,
  /^(?:Redis|PostgreSQL|MySQL|MongoDB) (?:is not )?supported$/,
  /^SQLite supported, default database location is /,
  /^Default Net Engine version: /,
  /^=+$/,
  /^Domain name:/,
  /^Aux server: \S+$/,
  /^Default realm: \S.*$/,
  /^CONFIG: --no-tcp-relay: TCP relay endpoints are not allowed\.$/,
  /^IO method \([a-z ]+\): epoll/,
  /^INFO: RFC5780 disabled! \/NAT behavior discovery\/$/,
  /^Wait for relay ports initialization\.\.\.$/,
  /^relay \S+ initialization(?:\.\.\.| done)$/,
  /^Relay ports initialization done$/,
  /^turn server id=\d+ created$/,
  /^Total General servers: \d+$/,
  /^SQLite DB connection success: :memory:$/,
  /^(?:SSL23|TLS1\.2): (?:Certificate|Private key) file found: /,
  /^TLS cipher suite: /,
  /^\d+ bytes per second allowed/,
  // What it says of the requests by which the start is awaited, when it is verbose.
  /^IPv[46]\. (?:TLS\/)?(?:TCP|UDP|TLS) listener opened on ?: /,
  /^IPv[46]\. tcp or tls connected to: /,
  /^session \d+: (?:TCP socket closed remotely|TLS\/TCP socket disconnected|(?:peer )?usage:|closed \(2nd stage\)|realm)/,
  // What the C library says of SCTP, which few systems have; not a line of the log.
  /^socket: Protocol not supported$/,
];

/** The lines of a log that are none of those: what coturn has to complain about. */
export function complaintsIn(log: string): string[] {
  return log
    .split('\n')
    .map((line) => line.replace(/^\d+: : /, '').trim())
    .filter((line) => line !== '' && !calm.some((pattern) => pattern.test(line)));
}
