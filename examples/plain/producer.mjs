/*  producer.mjs - a plain producer: any PUSH socket that sends [source, cmd, data] in msgpack

    usage: node producer.mjs ENDPOINT [COUNT]        (npm install zeromq @msgpack/msgpack)

    This Source Code Form is subject to the terms of the Mozilla Public
    License, v. 2.0. If a copy of the MPL was not distributed with this
    file, You can obtain one at https://mozilla.org/MPL/2.0/.
*/
import { encode } from "@msgpack/msgpack";
import { Push } from "zeromq";

const [endpoint, count = "10"] = process.argv.slice (2);
const push = new Push ();
push.connect (endpoint);
for (let step = 0; step < Number (count); step++)
    await push.send (encode (["producer-js", "PROGRESS", { step, loss: 0.5 / (step + 1) }]));

/*  The process ends once the socket has handed over all messages. */
push.close ();
