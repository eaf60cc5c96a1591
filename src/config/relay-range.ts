/** Inclusive. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/**
 * Ports of the relay for each user at once. A browser makes an allocation for each URL that it is given, mostly udp, tcp
 * and tls; the fourth is for those that a lost network leaves behind until they run out (10 minutes, RFC 8656 §3.2).
 */
export const portsPerUser = 4;

/** As many as a relay should have in any case: below, one user who reloads a page a few times finds none left. */
export const fewestPorts = 40;

const highestPort = 65_535;

// Lower, the ports of other services begin: SIP, databases, coturn's own listeners.
const lowestPort = 10_000;

/** How many ports a relay needs for so many users at once. */
export function relayPortsFor(users: number): number {
  return Math.max(fewestPorts, users * portsPerUser);
}

/**
 * The relay range for so many users at once. It ends at 65535, because up to 1,133 users it then lies above the ports that
 * Linux gives to outgoing sockets (32768–60999). Null when one address has not as many ports.
 */
export function relayRangeFor(users: number): PortRange | null {
  const min = highestPort - relayPortsFor(users) + 1;
  return min < lowestPort ? null : { min, max: highestPort };
}

/** How many users at once one relay address has ports for, at most. */
export const mostUsersPerAddress = Math.floor((highestPort - lowestPort + 1) / portsPerUser);
