// @shevernitskiy/amo (npm): every route of the API as a method, over fetch.
import { createRequire } from "node:module";
import { auth, CONTACT, env, HOOK, LEAD, MANAGER, PIPELINE, same, step } from "./steps.mjs";

const { Amo } = createRequire(`${env.FOREIGN}/`)("@shevernitskiy/amo");
const domain = "sandbox.amocrm.ru";
const options = { request_delay: 0 };
const first = (answer, plural) => answer._embedded[plural][0];

await step("code", async () => {
  const amo = new Amo(domain, { ...auth, grant_type: "authorization_code", code: env.CODE }, options);
  same((await amo.account.getAccount()).subdomain, "sandbox");
});

await step("refresh", async () => {
  const spent = { token_type: "Bearer", expires_in: 1, expires_at: 1 };
  const pair = { access_token: env.EXPIRED, refresh_token: env.REFRESH };
  const amo = new Amo(domain, { ...auth, ...spent, ...pair }, options);
  same((await amo.account.getAccount()).id, 31000001);
});

const lasting = { token_type: "Bearer", expires_in: 86400, expires_at: Date.now() + 1e9, refresh_token: "" };
const amo = new Amo(domain, { ...auth, ...lasting, access_token: env.TOKEN }, options);

await step("account", async () => same((await amo.account.getAccount({ with: ["task_types"] })).currency, "RUB"));
await step("users", async () => {
  const emails = (await amo.user.getUsers({ limit: 250 }))._embedded.users.map((user) => user.email);
  same(emails.includes("manager101@demo.example"), true);
  same((await amo.user.getUserById(MANAGER)).id, MANAGER);
});
await step("roles", async () => {
  const rights = { leads: { view: "A", edit: "A", add: "A", delete: "D", export: "D" } };
  const role = first(await amo.user.addRoles([{ name: "Новичок", rights }]), "roles");
  same((await amo.user.updateRoleById(role.id, { name: "Опытный", rights })).name, "Опытный");
  same((await amo.user.getRoles())._embedded.roles.map((one) => one.name), ["Опытный"]);
  await amo.user.deleteRoleById(role.id);
});
await step("pipelines", async () => {
  same((await amo.pipeline.getPipelines())._embedded.pipelines.length, 2);
  same((await amo.pipeline.getStatusesByPipelineId(PIPELINE))._embedded.statuses[0].type, 1);
});
await step("pipelines: write", async () => {
  const sent = { name: "Опт", is_main: false, is_unsorted_on: true, sort: 20 };
  const stages = { statuses: [{ name: "Заявка", sort: 10, color: "#fffeb2" }] };
  const made = first(await amo.pipeline.addPipelines([{ ...sent, _embedded: stages }]), "pipelines");
  same((await amo.pipeline.updatePipelinesById(made.id, { ...sent, name: "Розница" })).name, "Розница");
  const stage = first(await amo.pipeline.addStatuses(made.id, [{ name: "Замер", sort: 30 }]), "statuses");
  same((await amo.pipeline.updateStatusById(stage.id, made.id, { name: "Выезд" })).name, "Выезд");
  await amo.pipeline.deleteStatusById(stage.id, made.id);
  await amo.pipeline.deletePipelineById(made.id);
});
await step("fields", async () => {
  const codes = (await amo.custom_fields.getCustomFields("contacts"))._embedded.custom_fields.map((one) => one.code);
  same(codes.includes("PHONE"), true);
});
await step("fields: write", async () => {
  const sent = [{ name: "Район", type: "text", sort: 510 }];
  const field = first(await amo.custom_fields.addCustomFields("leads", sent), "custom_fields");
  const renamed = await amo.custom_fields.updateCustomFieldById(field.id, "leads", { name: "Город" });
  same(renamed.name, "Город");
  await amo.custom_fields.deleteCustomFieldById(field.id, "leads");
});
await step("field groups", async () => {
  same((await amo.custom_fields.getCustomFieldsGroups("leads"))._embedded.custom_field_groups[0].id, "default");
});
await step("sources", async () => {
  const made = first(await amo.source.addSources([{ name: "Сайт", external_id: "site" }]), "sources");
  same((await amo.source.updateSourceById(made.id, { name: "Лендинг" })).name, "Лендинг");
  same((await amo.source.getSources())._embedded.sources.length, 1);
  await amo.source.deleteSourceById(made.id);
});
await step("paging", async () => {
  const seen = new Set();
  for (let page = 1; page < 10; page += 1) {
    const answer = await amo.contact.getContacts({ page, limit: 100 });
    for (const one of answer._embedded.contacts) seen.add(one.id);
    if (!answer._links.next) break;
  }
  same(seen.size, 307);
});
await step("filter", async () => {
  const found = await amo.contact.getContacts({ filter: (filter) => filter.single("id", CONTACT) });
  same(found._embedded.contacts.map((one) => one.id), [CONTACT]);
});
await step("search", async () => {
  const found = await amo.contact.getContacts({ query: "9000000001" });
  same(found._embedded.contacts.map((one) => one.id), [CONTACT]);
});
await step("leads", async () => {
  const made = first(await amo.lead.addLeads([{ name: "Сделка", price: 10 }]), "leads");
  await amo.lead.updateLeadById(made.id, { name: "Новая" });
  same((await amo.lead.getLeadById(made.id)).name, "Новая");
});
await step("contacts", async () => {
  const phone = [{ field_code: "PHONE", values: [{ value: "+79123456789", enum_code: "WORK" }] }];
  const made = first(await amo.contact.addContacts([{ name: "Иван", custom_fields_values: phone }]), "contacts");
  await amo.contact.updateContacts([{ id: made.id, name: "Пётр" }]);
  same((await amo.contact.getContactById(made.id)).name, "Пётр");
});
await step("contacts and chats", async () => {
  const chat = { contact_id: CONTACT, chat_id: "6cbab3d5-c4c1-46ff-b710-ad59ad10805f" };
  await amo.contact.linkContactToChat([chat]);
  const found = await amo.contact.getContactToChat({ chat_id: [chat.chat_id] });
  same(first(found, "chats").contact_id, CONTACT);
});
await step("companies", async () => {
  const made = first(await amo.company.addCompanies([{ name: "ООО Ромашка" }]), "companies");
  await amo.company.updateCompaniesById(made.id, { name: "ООО Лютик" });
  same((await amo.company.getCompanyById(made.id)).name, "ООО Лютик");
});
await step("fetch and save", async () => {
  const lead = await amo.lead.getLeadById(LEAD, { with: ["contacts"] });
  await amo.lead.updateLeadById(LEAD, { ...lead, name: "Сохранена целиком" });
  same((await amo.lead.getLeadById(LEAD)).name, "Сохранена целиком");
});
await step("complex", async () => {
  const parts = { contacts: [{ first_name: "Анна" }], companies: [{ name: "Ф" }] };
  const [made] = await amo.lead.addComplex([{ name: "Сложная", _embedded: parts }]);
  same(made.contact_id > 0 && made.company_id > 0, true);
});
await step("links", async () => {
  const link = [{ to_entity_id: CONTACT, to_entity_type: "contacts", metadata: { is_main: true } }];
  await amo.link.addLinksByEntityId(LEAD, "leads", link);
  const linked = (await amo.link.getLinksByEntityId(LEAD, "leads"))._embedded.links;
  same(linked.map((one) => one.to_entity_id).includes(CONTACT), true);
});
await step("unlink", async () => {
  await amo.link.deleteLinksByEntityId(LEAD, "leads", [{ to_entity_id: CONTACT, to_entity_type: "contacts" }]);
});
await step("tags", async () => {
  await amo.tag.addTags("leads", [{ name: "vip" }]);
  same((await amo.tag.getTags("leads"))._embedded.tags.map((one) => one.name), ["vip"]);
  await amo.tag.addTagsToEntitiesById(LEAD, "leads", { tags_to_add: [{ name: "горячий" }] });
  same((await amo.lead.getLeadById(LEAD))._embedded.tags.map((one) => one.name), ["горячий"]);
});
await step("tasks", async () => {
  const sent = { text: "Перезвонить", complete_till: 1800000000, entity_id: LEAD, entity_type: "leads" };
  const made = first(await amo.task.addTasks([sent]), "tasks");
  await amo.task.completeTaskById(made.id, { result: { text: "Готово" } });
  same((await amo.task.getTaskById(made.id)).result.text, "Готово");
});
await step("notes", async () => {
  const sent = { entity_id: LEAD, note_type: "common", params: { text: "Заметка" } };
  const made = first(await amo.note.addNotes("leads", [sent]), "notes");
  await amo.note.updateNoteById(made.id, "leads", { ...sent, params: { text: "Новая" } });
  same((await amo.note.getNotesById(made.id, "leads")).params.text, "Новая");
});
await step("calls", async () => {
  const call = { direction: "inbound", duration: 5, source: "x", phone: "+79000000003", uniq: "a-1" };
  same(first(await amo.call.addCalls([call]), "calls").entity_type, "lead");
});
await step("unsorted", async () => {
  const call = { uniq: "u-1", duration: 5, service_code: "x", link: "", phone: "+7999", called_at: 1700000000, from: "x" };
  const sent = { source_uid: "u-1", source_name: "x", metadata: call, _embedded: { leads: [{ name: "Звонок" }] } };
  const made = first(await amo.unsorted.addUnsortedSip([sent]), "unsorted");
  same((await amo.unsorted.getUnsortedByUid(made.uid)).category, "sip");
  same((await amo.unsorted.acceptUnsortedByUid(made.uid, { user_id: MANAGER })).uid, made.uid);
  const form = { form_id: "f", form_name: "f", form_page: "https://example.com", ip: "192.0.2.1", form_sent_at: 1700000000, referer: "" };
  const sent2 = { source_uid: "u-2", source_name: "x", metadata: form };
  const other = first(await amo.unsorted.addUnsortedForm([sent2]), "unsorted");
  await amo.unsorted.declineUnsortedByUid(other.uid, { user_id: MANAGER });
  same((await amo.unsorted.getUnsortedSummary()).categories.mail.total, 1);
});
await step("webhooks", async () => {
  await amo.webhook.addWebhook({ destination: HOOK, settings: ["add_lead"] });
  same((await amo.webhook.getWebhooks())._embedded.webhooks[0].destination, HOOK);
  await amo.webhook.deleteWebhook({ destination: HOOK });
});
await step("events", async () => {
  const event = first(await amo.event.getEvents({ limit: 10 }), "events");
  same((await amo.event.getEventById(event.id)).id, event.id);
  same((await amo.event.getEventsTypes("ru"))._embedded.events_types.length > 10, true);
});
