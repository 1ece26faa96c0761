// Clicks every control of a page at its centre with the mouse, as a person would. Controls are found
// in the page, not listed, so that a new one cannot be forgotten: whatever is a control to HTML or to
// ARIA, can have the focus, or changes the pointer. Those that a click reveals are clicked too.
import assert from "node:assert/strict";

/** In the page: finds controls, and counts whatever a click can bring about. */
function install() {
  const roles = ["button", "radio", "checkbox", "switch", "tab", "slider", "link", "option", "menuitem", "textbox"];
  const selector = ["button", "a[href]", "select", "input", "textarea", "summary", "[contenteditable]",
    "[tabindex]:not([tabindex='-1'])", ...roles.map((role) => `[role=${role}]`)].join();
  const counts = { mutations: 0, downloads: 0, drawings: 0, scrolls: 0 };
  new MutationObserver((all) => (counts.mutations += all.length)).observe(document, {
    subtree: true, childList: true, attributes: true, characterData: true,
  });
  addEventListener("scroll", () => ++counts.scrolls, true);
  HTMLAnchorElement.prototype.click = function () {
    if (this.hasAttribute("download")) ++counts.downloads;
  };
  for (const name of ["drawImage", "stroke", "fillRect"]) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      ++counts.drawings;
      return draw.apply(this, given);
    };
  }

  const cursor = (element) => getComputedStyle(element).cursor;
  const labelled = (element) => element.closest("label")?.control ?? null;
  const changesPointer = (element) =>
    ["pointer", "crosshair", "grab"].includes(cursor(element)) &&
    cursor(element) !== cursor(element.parentElement) && !element.closest(selector) && !labelled(element);
  /** Where a person sees the control: a hidden input is its label. */
  const shownAs = (control) => (getComputedStyle(control).opacity === "0" && control.labels?.[0]) || control;
  const isShown = (control) => {
    const { width, height } = shownAs(control).getBoundingClientRect();
    return width > 0 && height > 0 && shownAs(control).checkVisibility({ visibilityProperty: true });
  };
  const keyOf = (element) => {
    const steps = [element.ariaLabel ?? ""];
    for (let at = element; at !== document.body; at = at.parentElement) {
      const same = [...at.parentElement.children].filter((one) => one.tagName === at.tagName);
      steps.push(at.id ? `#${at.id}` : `${at.tagName.toLowerCase()}${same.indexOf(at)}`);
      if (at.id) break;
    }
    return steps.reverse().join(" ");
  };
  const kindOf = (control) =>
    control.matches("input") ? control.type : (control.getAttribute("role") ?? control.tagName.toLowerCase());
  const isChosen = (control) => control.type === "radio" ? control.checked : control.ariaChecked === "true";
  const known = new Map();
  const find = () => {
    known.clear();
    for (const one of document.body.querySelectorAll(":not(svg *)")) {
      if ((one.matches(selector) || changesPointer(one)) && !one.disabled && isShown(one)) known.set(keyOf(one), one);
    }
    return known;
  };
  /** Looks again only where the page has put another element in its place. */
  const byKey = (key) => (known.get(key)?.isConnected ? known : find()).get(key);

  const changed = (before) => Object.entries(counts).some(([name, count]) => count > before[name]);
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  /** Two frames without a change, or after three seconds all the same. */
  const settle = async () => {
    const until = performance.now() + 3000;
    for (let quiet = 0; quiet < 2 && performance.now() < until; ) {
      const before = { ...counts };
      await new Promise(requestAnimationFrame);
      await pause(4);
      quiet = changed(before) ? 0 : quiet + 1;
    }
  };
  const at = (key, x, y) => {
    const control = byKey(key);
    const hit = document.elementFromPoint(x, y);
    const hits = Boolean(control && hit) && (control.contains(hit) || labelled(hit) === control);
    return { x, y, hits, covering: hit && `${hit.tagName} ${hit.className}`, text: control?.textContent, counts: { ...counts } };
  };
  /** Scrolls to a control, and says where its centre is and what a click there would hit. */
  const aim = (key) => {
    const control = shownAs(byKey(key));
    control.scrollIntoView({ block: "center" });
    const box = control.getBoundingClientRect();
    return at(key, box.x + box.width / 2, box.y + box.height / 2);
  };

  window.walk = {
    at,
    aim,
    settled: async (key) => (await settle(), aim(key)),
    controls: async () => {
      await settle();
      return [...find()].map(([key, one]) => ({ key, kind: kindOf(one), chosen: isChosen(one) }));
    },
    /** What came of a click: waits two seconds at most for anything to change. */
    outcome: async (key, before) => {
      for (let tries = 0; !changed(before) && tries < 200; ++tries) await pause(10);
      const control = byKey(key);
      return {
        changed: changed(before),
        gone: !control, text: control?.textContent, value: control?.value, options: control?.options?.length ?? 0,
        chosen: control && isChosen(control), focused: document.activeElement === control,
        alerts: [...document.querySelectorAll("[role=alert]")].map((one) => one.textContent).filter(Boolean),
      };
    },
    /** Whether an element is a control, lies in one, or draws a chart, which answers to the pointer anywhere. */
    isAccountedFor: (element) => element.closest(`${selector}, .chart svg, label`) !== null || changesPointer(element),
  };
}

const pressed = ["click", "dblclick", "mousedown", "mouseup", "pointerdown", "pointerup", "touchstart", "touchend", "change", "input"];

/** Whatever listens to clicks and is not among the controls, as a person could not tell that it does. */
async function unaccountedListeners(page) {
  const session = await page.context().newCDPSession(page);
  const { result } = await session.send("Runtime.evaluate", { expression: "document.body" });
  const { listeners } = await session.send("DOMDebugger.getEventListeners", { objectId: result.objectId, depth: -1 });
  const nodes = new Set(listeners.filter((one) => pressed.includes(one.type)).map((one) => one.backendNodeId));
  assert.ok(nodes.size > 0, "a page without listeners has no controls");
  const strange = [];
  for (const backendNodeId of nodes) {
    const { object } = await session.send("DOM.resolveNode", { backendNodeId });
    const { result: found } = await session.send("Runtime.callFunctionOn", {
      objectId: object.objectId, returnByValue: true,
      functionDeclaration: "function () { return walk.isAccountedFor(this) ? '' : this.outerHTML.slice(0, 200); }",
    });
    if (found.value) strange.push(found.value);
  }
  await session.detach();
  return strange;
}

/** A menu that a click has opened is the browser's, not the page's: keys choose from it. */
async function chooseFrom(page, key, { counts }, where) {
  const outcome = () => page.evaluate(([one, before]) => walk.outcome(one, before), [key, counts]);
  const { value, options, focused } = await page.evaluate((one) => walk.outcome(one, { scrolls: -1 }), key);
  assert.ok(focused, `${where} has not got the focus`);
  if (options < 2) return;
  for (const arrow of ["ArrowDown", "ArrowUp"]) { // down does nothing on the last
    await page.keyboard.press(arrow);
    await page.keyboard.press("Enter");
    const now = await outcome();
    if (now.value !== value) return assert.ok(now.changed, `${where} changes nothing`);
  }
  assert.fail(`${where} cannot be changed`);
}

async function press(page) {
  await page.mouse.down();
  await page.mouse.up();
}

/** Clicks one control and asserts that it was hit, and that this did something. */
async function click(page, { key, kind, chosen }, where) {
  const found = await page.evaluate((one) => walk.aim(one), key);
  await page.mouse.move(found.x, found.y);
  const aim = await page.evaluate((one) => walk.settled(one), key);
  for (const { hits, covering } of [found, aim]) assert.ok(hits, `${where} is covered by ${covering}`);
  await press(page);
  if (kind === "select") return chooseFrom(page, key, aim, where);
  // What shows something under the pointer has done so before the click; a region that scrolls takes
  // the focus for the keys, and no more; and a choice that is alone in its group is chosen already.
  const since = ["img", "canvas"].includes(kind) ? found.counts : aim.counts;
  const focusOnly = ["pre", "text", "textarea"].includes(kind);
  const before = focusOnly || chosen ? { scrolls: -1 } : since;
  const outcome = await page.evaluate(([one, counts]) => walk.outcome(one, counts), [key, before]);
  assert.ok(outcome.changed, `${where} does nothing`);
  assert.deepEqual(outcome.alerts, [], where);
  if (focusOnly) assert.ok(outcome.focused, `${where} has not got the focus`);
  if (kind === "radio") assert.ok(outcome.chosen, `${where} is not chosen`);
  if (kind !== "button" || outcome.gone || outcome.text === aim.text) return;
  // What opens or starts also closes or stops, without the mouse being moved.
  const hit = await page.evaluate(([one, x, y]) => walk.at(one, x, y), [key, aim.x, aim.y]);
  assert.ok(hit.hits, `${where} has moved away`);
  await press(page);
  const back = await page.evaluate(([one, counts]) => walk.outcome(one, counts), [key, hit.counts]);
  assert.equal(back.text, aim.text, `${where} does not go back`);
}

/** Walks over a page that is drawn. Returns how many controls of each kind were clicked. */
export async function clickEverything(page) {
  await page.evaluate(install);
  assert.deepEqual(await unaccountedListeners(page), []);
  const { width } = page.viewportSize();
  const done = new Set();
  const foundAt = new Map(); // the round in which a control was found
  const clicked = {};
  for (let round = 0; ; ++round) {
    const waiting = (await page.evaluate(() => walk.controls())).filter(({ key }) => !done.has(key));
    for (const { key } of waiting) if (!foundAt.has(key)) foundAt.set(key, round);
    if (waiting.length === 0) return clicked;
    // First what the last click revealed, since the next may hide it; and what is chosen last of its
    // group, when a click chooses it again.
    const newest = (one) => foundAt.get(one.key);
    const [next] = waiting.toSorted((a, b) => Number(a.chosen) - Number(b.chosen) || newest(b) - newest(a));
    await click(page, next, `${next.kind} at "${next.key}", ${width} px`);
    done.add(next.key);
    clicked[next.kind] = (clicked[next.kind] ?? 0) + 1;
  }
}
