/**
 * STUN servers that anybody may use, by the names that rtc-ops.yaml knows them under. They tell a client its public
 * address; they relay nothing.
 */
export const publicStun = {
  google: 'stun:stun.l.google.com:19302',
  cloudflare: 'stun:stun.cloudflare.com:3478',
  openrelay: 'stun:openrelay.metered.ca:80',
} as const satisfies Record<string, string>;

/** The URI that a name stands for; any other text as it is. */
export function resolvePublicStun(text: string): string {
  return Object.entries(publicStun).find(([name]) => name === text)?.[1] ?? text;
}
