// The dashboard in a real browser, against real services: every page at desktop and phone width, light and dark, and the
// one main thing each page is for.
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestSystem, type TestSystem } from "../apps/server/src/testing/system.ts";
import { makeToyModels, toyAttack, toyBenign } from "../apps/server/src/testing/toy-models.ts";
import { removeFolder, root } from "./running-system.ts";

const executablePath = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
].find((file) => existsSync(file));
const isBuilt = existsSync(path.join(root, "apps/dashboard/dist/index.html"));
const skip = !executablePath
  ? " (skipped: no chromium on this machine)"
  : isBuilt
    ? ""
    : " (skipped: the dashboard is not built)";
/** Set to a folder to keep a picture of every page; the README's picture is one of them. */
const pictures = process.env["MLSEC_TEST_PICTURES"];
const pages = ["/", "/models", "/training", "/red-team", "/analytics", "/browser"];
const views = [
  { name: "desktop", width: 1440, height: 1000 },
  { name: "phone", width: 390, height: 844 },
];

let system: TestSystem;
let browser: Browser;
let models: string;

describe.skipIf(skip !== "")(`the dashboard${skip}`, () => {
  beforeAll(async () => {
    models = await makeToyModels(["distilbert", "linear"]);
    system = await startTestSystem({ environment: { MLSEC_SHIPPED_MODELS: models } });
    const quiet = [
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
    ];
    browser = await chromium.launch({
      executablePath: executablePath ?? "",
      args: ["--no-sandbox", "--disable-gpu", ...quiet],
    });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await system?.stop();
    if (models) removeFolder(models);
  });

  /** A page that fails the test when the browser reports an error. */
  async function open(
    address: string,
    options: { width?: number; height?: number; scheme?: "light" | "dark" } = {},
  ): Promise<Page> {
    const { width = 1440, height = 1000, scheme = "light" } = options;
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    page.on("pageerror", (error) => expect.fail(`${address}: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && expect.fail(`${address}: ${message.text()}`));
    await page.goto(system.url("monitoring") + address);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  const looks = pages.flatMap((page) =>
    views.flatMap((view) => (["light", "dark"] as const).map((scheme) => ({ page, view, scheme }))),
  );
  test.each(looks)(
    "$page on a $view.name, $scheme: no error, nothing wider than the screen",
    async ({ page: address, view, scheme }) => {
      const page = await open(address, { ...view, scheme });
      await expect.poll(() => page.locator(".loading").count(), { timeout: 15_000 }).toBe(0);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      ).toBeLessThanOrEqual(0);
      if (pictures) {
        mkdirSync(pictures, { recursive: true });
        const name = address === "/" ? "overview" : address.slice(1);
        await page.screenshot({ path: path.join(pictures, `${name}-${view.name}-${scheme}.png`), fullPage: true });
      }
      await page.close();
    },
  );

  test("overview: a pasted text gets its verdict with the evidence highlighted, and the live figures move", async () => {
    const page = await open("/");
    await page.getByText("live", { exact: true }).waitFor();
    await page.getByLabel("Text to judge").fill(`Dear team 🙂\n${toyAttack}`);
    await page.getByRole("button", { name: "Judge", exact: true }).click();
    await page.locator(".verdict .badge.bad").waitFor();
    expect(await page.locator(".evidence mark").allTextContents()).not.toEqual([]);
    await page.getByLabel("Text to judge").fill(toyBenign);
    await page.getByRole("button", { name: "Judge", exact: true }).click();
    await page.locator(".verdict .badge.good").waitFor();
    await expect
      .poll(() => page.locator(".figure", { hasText: "Verdicts" }).locator("strong").textContent(), { timeout: 10_000 })
      .not.toBe("0");
    await page.close();
  });

  test("models: unload and load again", async () => {
    const page = await open("/models");
    const card = page.locator(".card", { has: page.getByRole("heading", { name: "linear", exact: true }) });
    await card.getByRole("button", { name: "Unload" }).click();
    await card.getByText("Unloaded").waitFor();
    await card.getByRole("button", { name: "Load" }).click();
    await card.getByText("Loaded", { exact: true }).first().waitFor();
    await page.close();
  });

  test("training: a job starts from the form, is watched, and shows why it was or was not promoted", async () => {
    const page = await open("/training");
    await page.getByLabel("Model").selectOption("linear");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.locator(".promotion").waitFor({ timeout: 90_000 });
    expect(await page.locator(".promotion").textContent()).toMatch(/Recall on attacks/);
    await page.close();
  }, 120_000);

  test("red team: a test starts from the form and its result can be read and downloaded", async () => {
    const page = await open("/red-team");
    await page.getByLabel("Attacks").fill("24");
    await page.getByRole("button", { name: "Start test" }).click();
    await page.waitForURL(/test=/);
    await page.getByText("Detection rate", { exact: true }).waitFor();
    await page.locator(".attempts li").first().waitFor({ timeout: 30_000 });
    const report = await page.request.get((await page.getByRole("link", { name: "HTML" }).getAttribute("href")) ?? "");
    expect(report.ok()).toBe(true);
    expect(await report.text()).toContain("<!doctype html>");
    await page.locator(".matrix td").first().waitFor();
    await page.close();
  }, 90_000);

  test("red team: a finding is looked at, sent again, decided and put off", async () => {
    await system.clients["red-team"].test({
      body: { model_name: "distilbert", test_texts: [{ text: toyBenign, expected: "jailbreak" }] },
    });
    const page = await open("/red-team");
    const card = page.locator(".card", { has: page.getByRole("heading", { name: "Findings", exact: true }) });
    await card.locator("button.job").first().click();
    await card.getByRole("button", { name: "Replay" }).click();
    await card.getByText(/It stands on version/).waitFor();
    await card.getByLabel("Decision").selectOption("accepted_risk");
    expect(await card.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
    await card.getByLabel("Note or reason").fill("a filter stands before it");
    await card.getByRole("button", { name: "Save" }).click();
    await card.getByText("No such finding").waitFor();
    // The finding stays open, wherever it is shown.
    await card.getByLabel("State", { exact: true }).selectOption("accepted_risk");
    await card.getByLabel("Note or reason").fill("until the next training");
    await card.getByRole("button", { name: "Suppress", exact: true }).click();
    await card.getByText("No such finding").waitFor();
    await card.getByLabel("Suppressed").check();
    expect(await card.locator("button.job").first().textContent()).toContain("Suppressed");
    await page.close();
  }, 90_000);

  test("analytics: the summary has the tests that ran", async () => {
    const page = await open("/analytics");
    await page.locator(".figure", { hasText: "Tests" }).first().waitFor();
    expect(
      Number(await page.locator(".figure", { hasText: "Tests" }).first().locator("strong").textContent()),
    ).toBeGreaterThan(0);
    await page.close();
  });

  test("an address that leads nowhere says so", async () => {
    const page = await browser.newPage();
    await page.goto(`${system.url("monitoring")}/no-such-page`);
    await page.getByText("No such page").waitFor();
    await page.close();
  });
});
