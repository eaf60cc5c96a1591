import { describe, expect, it } from 'vitest';
import { sshLogin, wordsOf } from '../../src/commands/doctor-login.ts';

const login = { address: 'turn.example.com', user: 'root', port: null };

describe('the way to a server by ssh', () => {
  it('takes no key of a host that nobody has compared', () => {
    expect(sshLogin(login, {})).toEqual({
      host: 'root@turn.example.com',
      options: ['-o', 'StrictHostKeyChecking=yes'],
    });
    const { options } = sshLogin(login, { sshCommonArgs: '-o StrictHostKeyChecking=no' });
    // Of an option that is given twice ssh takes the first.
    expect(options.slice(0, 2)).toEqual(['-o', 'StrictHostKeyChecking=yes']);
  });

  it('has port, key and further arguments as ssh takes them', () => {
    const { host, options } = sshLogin(
      { address: '2001:db8::10', user: null, port: 2222 },
      { privateKey: '/keys/my key', sshCommonArgs: '-o ProxyJump=bastion -o "ProxyCommand=nc %h %p"' },
    );
    expect(host).toBe('2001:db8::10');
    expect(options.slice(2)).toEqual([
      '-p',
      '2222',
      '-i',
      '/keys/my key',
      '-o',
      'ProxyJump=bastion',
      '-o',
      'ProxyCommand=nc %h %p',
    ]);
  });
});

describe('the words of arguments', () => {
  it.each([
    ['', []],
    ['  -o   A=b ', ['-o', 'A=b']],
    [`'a b' "c 'd'" e\\ f`, ['a b', "c 'd'", 'e f']],
    [`a'b'"c"`, ['abc']],
    [`'' ""`, ['', '']],
    [`'a\\b'`, ['a\\b']],
  ])('%j: %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('refuses a quote that does not end', () => {
    expect(() => wordsOf(`-o "A`)).toThrow('--ssh-common-args has a " that does not end');
  });
});
