// TURN credential by rtc-ops, {{validity}}.
import WebRTC

let rtcConfiguration: RTCConfiguration = {
    let configuration = RTCConfiguration()
    configuration.iceServers = [
{{servers}}
    ]
    return configuration
}()
