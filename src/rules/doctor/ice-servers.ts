import { finding, type Finding } from '../../model/finding.ts';
import type { IceServersFacts } from '../../model/ice-servers.ts';

/** What is wrong with the iceServers of an application, one finding for all of a kind. */
export function iceServersFindings({ file, urls, problems }: IceServersFacts): Finding[] {
  const of = (kind: IceServersFacts['problems'][number]['kind']): IceServersFacts['problems'] =>
    problems.filter((problem) => problem.kind === kind);
  const [refused, dtls, none] = [of('refused'), of('dtls'), of('no-turn')];
  const isOnly = !urls.some((url) => /^turns?:/i.test(url));
  return [
    ...(refused.length === 0 ? [] : [finding('ICE_SERVERS_REFUSED', { file, problems: refused })]),
    ...(dtls.length === 0
      ? []
      : [
          finding(
            'ICE_SERVERS_DTLS',
            { file, problems: dtls, isOnly },
            { severity: isOnly ? 'error' : 'warning' },
          ),
        ]),
    ...(none.length === 0 ? [] : [finding('ICE_SERVERS_WITHOUT_TURN', { file, problems: none })]),
  ];
}
