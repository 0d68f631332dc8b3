/**
 * How often somebody may try: counters in the table, one per kind, window and address or IP. Both are counted, so
 * that neither one address from many places nor many addresses from one place can be tried for long. The limits
 * are configuration. An address is counted whether it has an account or not.
 */
import { createHmac } from "node:crypto";
import { Entity } from "dynamodb-toolbox/entity";
import { $add, UpdateItemCommand } from "dynamodb-toolbox/entity/actions/update";
import { item } from "dynamodb-toolbox/schema/item";
import { number } from "dynamodb-toolbox/schema/number";
import { string } from "dynamodb-toolbox/schema/string";
import { config, type ThrottleLimit } from "~/config.server";
import { keys } from "~/data/keys.server";
import { table } from "~/data/table.server";
import { PublicError } from "~/errors";

const ThrottleEntity = new Entity({
  name: "Throttle",
  table,
  entityAttribute: false,
  timestamps: false,
  schema: item({ pk: string().key(), sk: string().key(), count: number(), expiresAt: number() }),
});

export type ThrottleKind = "signIn" | "signUp" | "code" | "resend" | "forgot";

/** Hides what is counted from whoever reads the table. */
const hidden = (subject: string): string =>
  createHmac("sha256", config.cognito.clientSecret).update(subject).digest("base64url").slice(0, 27);

/** Counts one try; throws `throttled` with the seconds to wait once there were too many. */
async function countTry(kind: string, subject: string, { limit, seconds }: ThrottleLimit): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const start = now - (now % seconds);
  const { Attributes } = await ThrottleEntity.build(UpdateItemCommand)
    .item({ ...keys.throttle(kind, hidden(subject), start), count: $add(1), expiresAt: start + 2 * seconds })
    .options({ returnValues: "UPDATED_NEW" })
    .send();
  if ((Attributes?.count ?? 0) > limit)
    throw new PublicError("throttled", { headers: { "Retry-After": String(start + seconds - now) } });
}

/**
 * The viewer's IP as CloudFront saw it, without its port; undefined when that header is missing. An IPv6 address is
 * cut to its first 64 bits, which is what one person has.
 */
export function viewerIp(request: Request): string | undefined {
  const address = request.headers.get("cloudfront-viewer-address");
  const ip = address?.replace(/:\d{1,5}$/, "").replace(/^\[(.*)\]$/, "$1");
  if (!ip || !/^[0-9a-f.:]{2,45}$/i.test(ip)) return undefined;
  if (!ip.includes(":")) return ip;
  const [head = "", tail] = ip.toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail ? tail.split(":") : [];
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill("0");
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}

/**
 * Counts a try of this kind by this request's IP and for this address, and throws the 429 `throttled` beyond either
 * limit. The IP comes first: whoever is over its limit cannot use up an address's tries.
 */
export async function throttle(kind: ThrottleKind, request: Request, email: string): Promise<void> {
  const limit = config.limits[kind];
  const ip = viewerIp(request);
  if (ip) await countTry(`${kind}-ip`, ip, { ...limit, limit: Math.ceil(limit.limit * config.limits.perIpFactor) });
  await countTry(kind, email, limit);
}
