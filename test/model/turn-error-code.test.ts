import { expect, it } from 'vitest';
import { isTurnErrorCode, turnErrorName } from '../../src/model/turn-error-code.ts';

it('names the codes of the RFCs, and no other', () => {
  expect(turnErrorName(401)).toBe('Unauthenticated');
  expect(turnErrorName(486)).toBe('Allocation Quota Reached');
  expect(turnErrorName(508)).toBe('Insufficient Capacity');
  expect(turnErrorName(699)).toBe('');
  expect(isTurnErrorCode(440)).toBe(true);
  expect(isTurnErrorCode(402)).toBe(false);
});
