// What the programs share: what the test tells them, and a line of JSON for each operation.
export const env = process.env;
// Of the sample account.
export const [CONTACT, LEAD, MANAGER, PIPELINE] = [10000001, 30000003, 1000101, 5000001];
export const CONTACTS = 310; // that a list shows
export const HOOK = "http://127.0.0.1:9/hook";

export async function step(operation, work) {
  let error = null;
  let given = null;
  try {
    given = await work();
  } catch (thrown) {
    const told = thrown?.response ?? thrown?.data ?? "";
    error = `${thrown?.name ?? "Error"}: ${thrown?.message ?? thrown} ${JSON.stringify(told)}`.slice(0, 600);
  }
  console.log(JSON.stringify({ operation, error }));
  return given;
}

export function same(got, wanted) {
  const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${one} where ${other} was expected`);
}

export const auth = {
  client_id: env.CLIENT_ID,
  client_secret: env.CLIENT_SECRET,
  redirect_uri: env.REDIRECT,
};
