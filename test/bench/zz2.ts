import { allocateBench } from './allocate-bench.ts';
for (const t of ['udp','udp','udp','udp','udp','udp'] as const) {const r=await allocateBench(t)(); console.log(r.ours, r.against?.figure);}
