"""The report in a real browser: python3 browser.py PAGE.html (needs selenium, chromium and chromium-driver).

PAGE.html is a page with at least one chart of curves and, for the heat map, a KOALA run.
"""

import base64
import json
import sys
import unittest

from browser_page import PAGE, Page
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


class Report(Page):
    def test_nothing_is_wrong_and_nothing_is_fetched(self):
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.get(PAGE.as_uri())
        for details in self.driver.find_elements(By.TAG_NAME, "details"):
            self.run_script("arguments[0].open = true", details)
        self.draw_all()
        places = self.run_script("return document.querySelectorAll('.chart, .heat').length")
        self.assertGreater(places, 0)
        self.until(lambda: self.run_script("return page.drawn.length") == places, "all drawings")
        self.assertEqual(self.driver.get_log("browser"), [])
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        self.assertEqual([url for url in sent if not url.startswith("data:")], [PAGE.as_uri()])

    def test_a_legend_entry_hides_its_curve_and_shows_it_again(self):
        chart = self.near(".chart")
        at = next(at for at, shown in self.shown(chart).items() if shown)
        hue = self.run_script("return page.drawings.charts[0].series[arguments[0]].hue", at)
        before = self.until(lambda: self.pixels(chart, self.hue(hue)), "the curve")
        self.line(chart, at).click()
        self.assertEqual(self.line(chart, at).get_attribute("aria-pressed"), "false")
        self.until(lambda: self.pixels(chart, self.hue(hue)) < before / 20, "the curve to go")
        self.line(chart, at).send_keys(Keys.SPACE)
        self.assertEqual(self.line(chart, at).get_attribute("aria-pressed"), "true")
        self.until(lambda: self.pixels(chart, self.hue(hue)) == before, "the curve to come back")

    def test_of_many_curves_some_are_hidden_at_first_and_all_are_a_click_away(self):
        chart = self.near(".chart")
        shown = self.shown(chart)
        series = self.run_script("return page.drawings.charts[0].series")
        self.assertEqual(shown, {at: series[at]["shown"] for at in shown})
        self.assertTrue(all(shown[at] for at in shown if series[at]["koala"]))
        if all(shown.values()):
            self.skipTest("the page has few curves")
        self.assertLessEqual(len([at for at in shown if shown[at] and not series[at]["koala"]]), 3)
        chart.find_element(By.XPATH, ".//button[text()='all']").click()
        self.assertTrue(all(self.shown(chart).values()))
        chart.find_element(By.XPATH, ".//button[text()='KOALA and the best others']").click()
        self.assertEqual(self.shown(chart), shown)

    def test_defaults_and_tuned_curves_are_shown_apart_and_together(self):
        chart = self.near(".chart")
        kinds = chart.find_elements(By.CSS_SELECTOR, "[aria-label='Hyperparameters'] button")
        if not kinds:
            self.skipTest("the page has no tuned arms")
        offered = []
        for kind in kinds:
            kind.click()
            self.assertEqual(kind.get_attribute("aria-pressed"), "true")
            offered.append(set(self.shown(chart)))
        defaults, tuned, both = offered
        self.assertFalse(defaults & tuned)
        self.assertEqual(defaults | tuned, both)

    def test_an_axis_that_is_cut_says_so_and_can_be_whole(self):
        chart = self.near(".chart")
        if len(self.shown(chart)) < 3:
            self.skipTest("no line is an exception among so few")
        # One line leaves all others far behind.
        self.run_script("""
            const one = page.drawn[0];
            one.log = false;
            one.chart.series.forEach((series, at) => one.hidden.delete(at));
            const line = one.chart.views[0].lines.find((line, at) => one.offered(at) && line.middle.some((value) => value !== null));
            line.middle = line.middle.map((value) => value === null ? null : value + 1e6);
            one.redraw();""")
        scale = "return page.drawn[0].u.scales.y.max"
        self.until(lambda: "Cut off" in chart.find_element(By.CLASS_NAME, "cut").text, "a note")
        self.assertLess(self.run_script(scale), 1e5)
        chart.find_element(By.CSS_SELECTOR, ".cut button").click()
        self.until(lambda: self.run_script(scale) >= 1e6, "the whole range")

    def test_a_click_on_a_head_sorts_and_nothing_stays_last(self):
        table = self.driver.find_element(By.CSS_SELECTOR, "table.results")
        head = table.find_elements(By.CSS_SELECTOR, "thead th")[2]

        def keys():
            cells = table.find_elements(By.CSS_SELECTOR, "tbody tr td:nth-child(3)")
            return [cell.get_attribute("data-key") for cell in cells]

        first = keys()
        if len(first) < 2:
            self.skipTest("one row has no order")
        known = sorted(float(key) for key in first if key)
        for order, expected in (("ascending", known), ("descending", known[::-1])):
            head.find_element(By.TAG_NAME, "button").click()
            self.assertEqual(head.get_attribute("aria-sort"), order)
            self.assertEqual([float(key) for key in keys() if key], expected)
            self.assertEqual([key for key in keys()[len(known):] if key], [])
        head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
        self.assertIsNone(head.get_attribute("aria-sort"))
        self.assertEqual(keys(), first)

    def test_the_reference_of_a_forest_is_chosen(self):
        forests = [one for one in self.driver.find_elements(By.CLASS_NAME, "forest") if one.find_elements(By.TAG_NAME, "select")]
        if not forests:
            self.skipTest("the page has too few optimizers")
        forest = forests[0]
        select = Select(forest.find_element(By.TAG_NAME, "select"))
        for option in (len(select.options) - 1, 0):
            select.select_by_index(option)
            visible = [body for body in forest.find_elements(By.TAG_NAME, "tbody") if body.is_displayed()]
            self.assertEqual([body.get_attribute("data-reference") for body in visible], [select.options[option].text])
            names = [row.text for row in visible[0].find_elements(By.CSS_SELECTOR, "tr:not(.reference) th")]
            self.assertEqual(len(names), len(select.options) - 1)
            self.assertNotIn(select.options[option].text, names)

    def test_the_first_screen_is_the_answer_and_the_rest_is_folded(self):
        self.driver.get(PAGE.as_uri())
        answer = self.driver.find_element(By.TAG_NAME, "h1")
        self.assertTrue(answer.text.endswith("."))
        first = self.driver.find_element(By.CSS_SELECTOR, "svg.scene")
        self.assertLess(first.rect["y"], 900)
        for part in self.driver.find_elements(By.CSS_SELECTOR, "details.part"):
            self.assertIsNone(part.get_attribute("open"))
        # A link unfolds what it points at.
        link = self.driver.find_element(By.CSS_SELECTOR, ".card a[href^='#workload']")
        link.click()
        target = self.driver.find_element(By.ID, link.get_attribute("href").rpartition("#")[2])
        part = target.find_element(By.XPATH, "./ancestor::details[1]")
        self.until(lambda: part.get_attribute("open") is not None, "the evidence to unfold")

    def test_the_first_figure_begins_on_the_first_screen_of_a_phone(self):
        self.size(390)
        self.driver.get(PAGE.as_uri())
        first = self.driver.find_element(By.CSS_SELECTOR, "svg.scene")
        self.assertLess(first.rect["y"], 700)

    def test_letters_of_the_first_drawings_are_of_one_size(self):
        self.size(1400)
        heights = self.run_script("""
            return [...document.querySelectorAll(".glance svg.scene")].map((svg) => svg.querySelector("text.name").getBoundingClientRect().height);""")
        # Those of a matrix of many may be smaller; none are larger.
        self.assertLessEqual(max(heights), 1.1 * heights[0])

    def test_tables_of_results_and_evidence_fit_a_screen(self):
        self.size(1400)
        self.driver.get(PAGE.as_uri())
        for details in self.driver.find_elements(By.TAG_NAME, "details"):
            self.run_script("arguments[0].open = true", details)
        cut = self.run_script("""
            return [...document.querySelectorAll("table.results, .verdict table")]
              .map((table) => table.parentElement)
              .filter((wide) => wide.scrollWidth > wide.clientWidth + 1)
              .map((wide) => `${wide.innerText.slice(0, 60)}: ${wide.scrollWidth} of ${wide.clientWidth}`);""")
        self.assertEqual(cut, [])

    def test_no_two_heads_of_a_table_are_the_same(self):
        same = self.run_script("""
            return [...document.querySelectorAll("table")]
              .map((table) => [...table.querySelectorAll("thead th")].map((head) => head.textContent))
              .filter((heads) => new Set(heads).size < heads.length);""")
        self.assertEqual(same, [])

    def test_words_in_drawings_neither_touch_nor_leave_them(self):
        for width in (1400, 390):
            self.size(width)
            overlaps = self.run_script("""
                const found = [];
                for (const svg of document.querySelectorAll("svg.scene")) {
                  const box = svg.getBoundingClientRect();
                  const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
                  texts.forEach(([text, one], at) => {
                    if (one.left < box.left - 1 || one.right > box.right + 1 || one.top < box.top - 1 || one.bottom > box.bottom + 1) {
                      found.push(`${text} leaves its drawing`);
                    }
                    for (const [other, two] of texts.slice(at + 1)) {
                      const across = Math.min(one.right, two.right) - Math.max(one.left, two.left);
                      const down = Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top);
                      // A line of words is higher than its letters.
                      if (across > 1 && down > 0.3 * Math.min(one.height, two.height)) found.push(`${text} on ${other}`);
                    }
                  });
                }
                return found;""")
            self.assertEqual(overlaps, [], f"at {width} px")

    def test_columns_can_be_put_away_and_come_back(self):
        table = self.driver.find_element(By.CSS_SELECTOR, "table.results")
        columns = table.find_element(By.XPATH, "../preceding-sibling::details[1]")
        columns.find_element(By.TAG_NAME, "summary").click()
        label = columns.find_elements(By.TAG_NAME, "label")[1]
        cells = lambda: [row.find_elements(By.XPATH, "./*")[2].is_displayed() for row in table.find_elements(By.TAG_NAME, "tr")]
        self.assertTrue(all(cells()))
        label.click()
        self.assertFalse(any(cells()))
        label.click()
        self.assertTrue(all(cells()))

    def test_wide_tables_say_that_they_scroll(self):
        for width in (1400, 390):
            self.size(width)
            self.driver.get(PAGE.as_uri())
            for details in self.driver.find_elements(By.TAG_NAME, "details"):
                self.run_script("arguments[0].open = true", details)
            silent = """
                return [...document.querySelectorAll(".wide")]
                  .filter((wide) => wide.scrollWidth > wide.clientWidth + 1 && !wide.classList.contains("scrolls")).length;"""
            self.until(lambda: self.run_script(silent) == 0, f"a hint at {width} px")
            self.assertLessEqual(self.run_script("return document.documentElement.scrollWidth"), width)

    def test_every_kind_of_figure_is_saved_as_svg_by_a_click(self):
        drawn = self.driver.find_elements(By.CSS_SELECTOR, "figure.drawn")
        self.assertTrue(drawn)
        for figure in drawn[:4]:
            text, tree = self.saved(figure)
            # It has its style, and as many words as the page shows.
            self.assertIn(".scene .curve", text)
            words = len(figure.find_elements(By.TAG_NAME, "text"))
            self.assertEqual(len(tree.findall(".//{http://www.w3.org/2000/svg}text")), words)
        chart = self.near(".chart")
        figure = chart.find_element(By.XPATH, "./ancestor::figure[1]")
        text, _ = self.saved(figure)
        shown = [at for at, shown in self.shown(chart).items() if shown]
        name = self.run_script("return page.drawings.charts[0].series[arguments[0]].name", shown[0])
        self.assertIn(name, text)
        # What is hidden is not saved.
        self.line(chart, shown[0]).click()
        self.assertLess(len(self.saved(figure)[0]), len(text))
        heat = self.near(".heat").find_element(By.XPATH, "./ancestor::figure[1]")
        self.assertIn("<rect", self.saved(heat)[0])

    def test_evidence_is_folded_away(self):
        evidence = self.driver.find_elements(By.CSS_SELECTOR, ".verdict details")
        if not evidence:
            self.skipTest("nothing is said of pairs")
        table = evidence[0].find_element(By.TAG_NAME, "table")
        self.assertFalse(table.is_displayed())
        evidence[0].find_element(By.TAG_NAME, "summary").click()
        self.assertTrue(table.is_displayed())

    def test_dark_is_dark(self):
        chart = self.near(".chart")
        at = next(at for at, shown in self.shown(chart).items() if shown)
        number = self.run_script("return page.drawings.charts[0].series[arguments[0]].hue", at)

        def paper():
            return self.run_script("return getComputedStyle(document.documentElement).backgroundColor")

        light, hue = paper(), self.hue(number)
        self.run_script("scrollTo(0, 0)")
        self.driver.find_element(By.ID, "theme").click()
        self.assertNotEqual(paper(), light)
        self.assertNotEqual(self.hue(number), hue)
        self.until(lambda: self.pixels(chart, self.hue(number)) > 50, "the curve in its dark hue")

    def test_steps_and_seconds(self):
        chart = self.near(".chart")
        steps, seconds = chart.find_elements(By.CSS_SELECTOR, "[aria-label='Horizontal axis'] button")
        picture = "return arguments[0].querySelector('canvas').toDataURL()"
        by_steps = self.run_script(picture, chart)
        seconds.click()
        self.assertEqual((steps.get_attribute("aria-pressed"), seconds.get_attribute("aria-pressed")), ("false", "true"))
        self.until(lambda: self.run_script(picture, chart) != by_steps, "another picture")
        ActionChains(self.driver).move_to_element(chart.find_element(By.CSS_SELECTOR, ".u-over")).perform()
        self.until(lambda: "seconds" in chart.find_element(By.CLASS_NAME, "tooltip").text, "seconds in the tooltip")

    def test_the_reference_is_sorted_by_its_numbers(self):
        sections = self.driver.find_elements(By.CSS_SELECTOR, "main > section")
        if not self.driver.find_elements(By.ID, "reference"):
            self.skipTest("the page has no reference")
        # The answer is about it, and its numbers are among the evidence.
        self.assertNotEqual(sections[0].get_attribute("aria-labelledby"), "evidence")
        part = self.driver.find_element(By.ID, "reference-part")
        table = next(
            table for table in part.find_elements(By.CSS_SELECTOR, "table.sortable") if "Steps to the target" in table.text
        )
        table.find_elements(By.CSS_SELECTOR, "thead button")[2].click()
        cells = [row.find_elements(By.CSS_SELECTOR, "td")[1].text for row in table.find_elements(By.CSS_SELECTOR, "tbody tr")]
        # A lower bound stands where its number does.
        numbers = [float(cell.lstrip("≥ ")) for cell in cells if cell[-1].isdigit()]
        self.assertEqual(numbers, sorted(numbers))
        # A phone scrolls the tables and not the page.
        self.size(390)
        self.assertLessEqual(self.run_script("return document.documentElement.scrollWidth"), 390)

    def test_hovering_and_arrow_keys_tell_values(self):
        chart = self.near(".chart")
        tooltip = chart.find_element(By.CLASS_NAME, "tooltip")
        ActionChains(self.driver).move_to_element(chart.find_element(By.CSS_SELECTOR, ".u-over")).perform()
        at = next(at for at, shown in self.shown(chart).items() if shown)
        name = self.run_script("return page.drawings.charts[0].series[arguments[0]].name", at)
        self.until(lambda: name in tooltip.text, "values")
        plot = chart.find_element(By.CLASS_NAME, "plot")
        plot.send_keys(Keys.HOME)
        first = self.until(lambda: tooltip.text, "values at the first place")
        plot.send_keys(Keys.ARROW_RIGHT)
        self.until(lambda: tooltip.text not in ("", first), "values at the next place")

    def test_heat_maps_tell_blocks(self):
        heat = self.near(".heat")
        ActionChains(self.driver).move_to_element(heat.find_element(By.TAG_NAME, "canvas")).perform()
        names = self.run_script("return page.drawings.heats[0].blocks")
        tooltip = heat.find_element(By.CLASS_NAME, "tooltip")
        self.until(lambda: any(name in tooltip.text for name in names), "a block's name")

    def test_a_phone_needs_no_sideways_scrolling(self):
        self.size(390)
        self.driver.get(PAGE.as_uri())
        self.draw_all()
        for details in self.driver.find_elements(By.TAG_NAME, "details"):
            self.run_script("arguments[0].open = true", details)
        self.assertLessEqual(self.run_script("return document.documentElement.scrollWidth"), 390)

    def test_without_scripts_the_words_and_tables_are_there(self):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        self.driver.get(PAGE.as_uri())
        self.assertIn("need JavaScript", self.driver.find_element(By.TAG_NAME, "body").text)
        self.assertTrue(self.driver.find_element(By.CSS_SELECTOR, "figure.drawn svg").is_displayed())
        # What is folded opens without them.
        part = self.driver.find_element(By.CSS_SELECTOR, "details.part")
        part.find_element(By.TAG_NAME, "summary").click()
        self.assertIsNotNone(part.get_attribute("open"))
        for selector in ("#verdict", "table", ".forest tbody:not([hidden]) svg path", "figure .description"):
            self.assertTrue(self.driver.find_elements(By.CSS_SELECTOR, selector), selector)
        self.assertFalse(self.driver.find_element(By.CSS_SELECTOR, ".chart").is_displayed())

    def test_it_prints(self):
        self.near(".chart")
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
        self.assertEqual(base64.b64decode(printed["data"])[:5], b"%PDF-")
        self.assertIsNone(self.run_script("return document.documentElement.dataset.theme ?? null"))


if __name__ == "__main__":
    if PAGE is None:
        sys.exit(__doc__)
    unittest.main()
