// TURN credential by rtc-ops, {{validity}}.
// With flutter_webrtc: await createPeerConnection(rtcConfiguration)
const Map<String, dynamic> rtcConfiguration = {
  'iceServers': [
{{servers}}
  ],
};
