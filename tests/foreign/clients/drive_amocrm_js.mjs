// amocrm-js (npm): factories and records over node's own https.
import { createRequire } from "node:module";
import { auth, CONTACT, CONTACTS, env, HOOK, LEAD, same, step } from "./steps.mjs";

const { Client } = createRequire(`${env.FOREIGN}/`)("amocrm-js");
const opened = (more) => new Client({ domain: "sandbox", auth: { ...auth, ...more } });
const ok = (answer) => {
  const { statusCode } = answer.response;
  if (statusCode >= 300) throw new Error(`${statusCode} ${JSON.stringify(answer.data)}`);
  return answer.data;
};

await step("code", async () => {
  const amo = opened({ code: env.CODE });
  same(ok(await amo.request.get("/api/v4/account")).subdomain, "sandbox");
});
await step("refresh", async () => {
  const amo = opened({});
  amo.token.setValue({ token_type: "Bearer", access_token: env.EXPIRED, refresh_token: env.REFRESH, expires_at: 1 });
  same(ok(await amo.request.get("/api/v4/account")).subdomain, "sandbox");
});

const amo = opened({ bearer: env.TOKEN });
const get = async (path, query) => ok(await amo.request.get(`/api/v4/${path}`, query));
const post = async (path, body) => ok(await amo.request.post(`/api/v4/${path}`, body));
const patch = async (path, body) => ok(await amo.request.patch(`/api/v4/${path}`, body));

await step("account", async () => same((await get("account", { with: "version" })).version, 12));
await step("users", async () => same((await get("users"))._embedded.users[0].id, 1000001));
await step("pipelines", async () => same((await get("leads/pipelines"))._total_items, 2));
await step("paging", async () => {
  const pages = await amo.contacts.get({ limit: 100 });
  const seen = new Set(pages.getData().map((one) => one.id));
  while (pages.hasNext()) {
    await pages.next();
    for (const one of pages.getData()) seen.add(one.id);
  }
  same(seen.size, CONTACTS - 3);
});
await step("filter", async () => {
  const pages = await amo.contacts.get({ filter: { id: [CONTACT] } });
  same(pages.getData().map((one) => one.id), [CONTACT]);
});
await step("search", async () => {
  const pages = await amo.contacts.get({ query: "9000000001" });
  same(pages.getData().map((one) => one.id), [CONTACT]);
});
await step("leads", async () => {
  const [lead] = await amo.leads.create([{ name: "Сделка", price: 10 }]);
  await amo.leads.update([{ id: lead.id, name: "Новая" }]);
  same((await amo.leads.getById(lead.id)).name, "Новая");
});
await step("contacts", async () => {
  const [contact] = await amo.contacts.create([{ name: "Иван" }]);
  await amo.contacts.update([{ id: contact.id, name: "Пётр" }]);
  same((await amo.contacts.getById(contact.id)).name, "Пётр");
});
await step("companies", async () => {
  const [company] = await amo.companies.create([{ name: "ООО Ромашка" }]);
  await amo.companies.update([{ id: company.id, name: "ООО Лютик" }]);
  same((await amo.companies.getById(company.id)).name, "ООО Лютик");
});
await step("fetch and save", async () => {
  const lead = await amo.leads.getById(LEAD);
  lead.name = "Сохранена целиком";
  await lead.save();
  same((await amo.leads.getById(LEAD)).name, "Сохранена целиком");
});
await step("a new record", async () => {
  const lead = new amo.Lead();
  lead.name = "Новая запись";
  await lead.save();
});
await step("tasks", async () => {
  const sent = { text: "Перезвонить", complete_till: 1800000000, entity_id: LEAD, entity_type: "leads" };
  const [task] = await amo.tasks.create([sent]);
  await amo.tasks.update([{ id: task.id, text: "Не звонить" }]);
  same((await amo.tasks.getById(task.id)).text, "Не звонить");
});
await step("notes", async () => {
  await post(`leads/${LEAD}/notes`, [{ note_type: "common", params: { text: "Заметка" } }]);
  same((await get(`leads/${LEAD}/notes`))._embedded.notes[0].params.text, "Заметка");
});
await step("links", async () => {
  await post(`leads/${LEAD}/link`, [{ to_entity_id: CONTACT, to_entity_type: "contacts" }]);
  same((await get(`leads/${LEAD}/links`))._total_items > 0, true);
});
await step("tags", async () => {
  await patch(`leads/${LEAD}`, { _embedded: { tags: [{ name: "vip" }] } });
  same((await get("leads/tags"))._embedded.tags[0].name, "vip");
});
await step("complex", async () => {
  const [made] = await post("leads/complex", [{ name: "Сложная", _embedded: { contacts: [{ name: "К" }] } }]);
  same(made.contact_id > 0, true);
});
await step("webhooks", async () => {
  await post("webhooks", { destination: HOOK, settings: ["add_lead"] });
  same((await get("webhooks"))._embedded.webhooks[0].destination, HOOK);
});
await step("webhooks: delete", async () => {
  ok(await amo.request.delete("/api/v4/webhooks", { destination: HOOK }));
});
await step("events", async () => same((await get("events"))._embedded.events.length > 0, true));
