// TURN credential by rtc-ops, {{validity}}.
import org.webrtc.PeerConnection

val iceServers: List<PeerConnection.IceServer> = listOf(
{{servers}}
)
