import { startCoturn } from '../../src/coturn/server.ts';
import { openConnection } from '../../src/turn/server.ts';
import { openUdp } from '../../src/net/udp.ts';
import { TurnSession } from '../../src/turn/session.ts';
import { allocateOn } from '../../src/turn/allocation.ts';
import { Secret } from '../../src/model/secret.ts';
import { createSocket } from 'node:dgram';
import { median } from './row.ts';
const port=23999;
const c = await startCoturn({config:{text:`listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port=${port}\nno-tls\nlt-cred-mech\nuser=bench:p\nrealm=bench\nno-cli`}});
const m: Record<string, number[]> = {};
const add=(k:string,v:number)=>(m[k]??=[]).push(v);
const signal=new AbortController().signal;
const remote={address:'127.0.0.1',port};
for (let i=0;i<300;i++){
  let t=performance.now();
  const u=await openUdp({remote,signal}); add('openUdp',performance.now()-t); u.close();
  t=performance.now();
  const s=createSocket('udp4'); await new Promise<void>(r=>s.connect(port,'127.0.0.1',r)); add('bareUdp',performance.now()-t); s.close();
  t=performance.now();
  const {connection}=await openConnection({transport:'udp',endpoint:remote,verifyTls:false},{timeoutMs:1000,signal}).ready; add('open',performance.now()-t);
  const session=new TurnSession(connection,{username:'bench',password:new Secret('p')});
  t=performance.now();
  try { const a=await allocateOn(session,{timeoutMs:1000,signal}); add('allocateOn',performance.now()-t); add('rtt2',a.rttMs);
  t=performance.now(); await a.refresh(); add('refresh',performance.now()-t); 
  await a.release(); } catch {}
}
for (const [k,v] of Object.entries(m)) console.log(k, median(v.slice(50)).toFixed(3));
await c.stop();
