import type { CallScenario } from './call-scenarios.ts';

const microphone = 'await navigator.mediaDevices.getUserMedia({ audio: true })';

/** What sounds without a microphone, so that the browser is not told to trust the page. */
const synthesized = (volume: number): string => `(() => {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const gain = new GainNode(context, { gain: ${volume} });
  const destination = context.createMediaStreamDestination();
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  keep.push(context, oscillator);
  return destination.stream;
})()`;

/** The code of the page: two connections, what is between them, and what is wrong. Its value is the port of side a. */
export function callCode(scenario: CallScenario): string {
  const {
    configuration = '{}',
    before = '',
    answering = '',
    after = '',
    onOffer = '',
    onAnswer = '',
    onCandidate = '',
  } = scenario;
  const { onTrack = 'const audio = new Audio(); audio.srcObject = stream; audio.play(); keep.push(audio);' } =
    scenario;
  return `(async () => {
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    const keep = (window.keep = []);
    const side = async () => {
      const stream = ${scenario.synthesized === true ? synthesized(scenario.volume ?? 1) : microphone};
      const pc = new RTCPeerConnection(${configuration});
      const microphone = stream.getAudioTracks()[0];
      pc.addTrack(microphone, stream);
      pc.ontrack = ({ streams: [stream] }) => { ${onTrack} };
      return { pc, microphone, trickled: [] };
    };
    const a = (window.a = await side());
    const b = (window.b = await side());
    ${before}
    const pass = (from, to) => {
      from.pc.onicecandidate = async ({ candidate }) => {
        if (candidate === null) return;
        from.trickled.push(candidate.candidate);
        ${onCandidate}
        while (to.pc.remoteDescription === null) await wait(20);
        await to.pc.addIceCandidate(candidate).catch(() => undefined);
      };
    };
    pass(a, b);
    pass(b, a);
    const description = async (from, type) => {
      let { sdp } = from.pc.localDescription;
      if (type === 'offer') { ${onOffer} } else { ${onAnswer} }
      return { type, sdp };
    };
    await a.pc.setLocalDescription();
    const offer = await description(a, 'offer');
    if (offer === undefined) return '';
    await b.pc.setRemoteDescription(offer);
    ${answering}
    await b.pc.setLocalDescription();
    const answer = await description(b, 'answer');
    await a.pc.setRemoteDescription(answer);
    for (let i = 0; i < 60 && a.pc.connectionState !== 'connected'; i++) await wait(50);
    window.then = async () => { ${after} };
    const stats = [...(await a.pc.getStats()).values()];
    const pair = stats.find(({ type, nominated }) => type === 'candidate-pair' && nominated);
    return String(stats.find(({ id }) => id === pair?.localCandidateId)?.port ?? '');
  })()`;
}
