import { expect, it } from 'vitest';
import { withoutOwnVariables } from '../../src/model/environment.ts';

it('an environment for others has none of our variables', () => {
  const env = { PATH: '/bin', RTC_OPS_SECRET: 's', RTC_OPS_PEER_SECRET: 's', MY_RTC_OPS_: 'kept' };
  expect(withoutOwnVariables(env)).toEqual({ PATH: '/bin', MY_RTC_OPS_: 'kept' });
});
