/** As whom this program logs in with a credential that it makes itself: `1780401600:rtc-ops-probe`. */
export const ownUsers = {
  probe: 'rtc-ops-probe',
  doctor: 'rtc-ops-doctor',
  audit: 'rtc-ops-audit',
  deploy: 'rtc-ops-deploy',
  rotation: 'rtc-ops-rotation',
} as const;

const names: ReadonlySet<string> = new Set(Object.values(ownUsers));

/** Whether a username is one of this program's own; servers may part the time from the name otherwise than by a colon. */
export function isOwnUser(username: string): boolean {
  return names.has(username.replace(/^\d+[^\w-]/, ''));
}
