-- TURN for Jitsi Meet by rtc-ops: goes into the cfg.lua of Prosody, in place of the external_services that stand there.
-- {{origin}}
{{secret}}external_services = {
{{services}}
};
