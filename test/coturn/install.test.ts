import { describe, expect, it } from 'vitest';
import { installHint, isDebian, parseOsRelease } from '../../src/coturn/install.ts';

const debian = parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n');

describe('parseOsRelease', () => {
  it('takes values with and without quotes', () => {
    expect(
      parseOsRelease(`# a comment\nID=ubuntu\nPRETTY_NAME="Ubuntu 24.04"\nID_LIKE='debian'\n\n`),
    ).toEqual({
      ID: 'ubuntu',
      PRETTY_NAME: 'Ubuntu 24.04',
      ID_LIKE: 'debian',
    });
  });
});

describe('isDebian', () => {
  it.each([
    ['ID=debian', true],
    ['ID=ubuntu\nID_LIKE=debian', true],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', true],
    ['ID=fedora', false],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', false],
    ['', false],
  ])('%j: %s', (text, expected) => {
    expect(isDebian(parseOsRelease(text))).toBe(expected);
  });
});

describe('installHint', () => {
  it.each([
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'sudo dnf install coturn'],
    ['ID=alpine', 'sudo apk add coturn'],
    ['ID=arch', 'sudo pacman -S coturn'],
    ['ID=opensuse-leap\nID_LIKE="suse opensuse"', 'sudo zypper install coturn'],
    ['', 'brew install coturn'],
  ])('for %j', (text, hint) => {
    expect(installHint(parseOsRelease(text))).toContain(hint);
  });

  it('leaves the service of Debian switched off', () => {
    expect(installHint(debian)).toBe('sudo apt-get install coturn && sudo systemctl disable --now coturn');
  });
});
