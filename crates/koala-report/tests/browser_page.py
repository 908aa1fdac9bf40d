"""A report's page in a real browser, and what tests look at of it and do with it."""

import sys
import time
import unittest
import xml.etree.ElementTree
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

# The page that is named on the command line.
PAGE = Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None

# Pixels of a canvas that are near a colour.
NEAR = """
const [canvas, hex] = arguments;
const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
let count = 0;
for (let at = 0; at < data.length; at += 4) {
  if (Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24 && data[at + 3] > 200) count++;
}
return count;
"""


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

class Page(unittest.TestCase):
    """Each test begins with the page as it opens, its evidence unfolded."""

    @classmethod
    def setUpClass(cls):
        cls.driver = browser()

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()

    def setUp(self):
        self.size(1200)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        self.driver.get(PAGE.as_uri())
        self.unfold()

    def unfold(self):
        """The evidence and what is more than a few problems are folded at first; most tests are about them."""
        self.run_script("for (const part of document.querySelectorAll('details.part, details.more')) part.open = true")

    def size(self, width):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def run_script(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, found, what):
        for _ in range(100):
            value = found()
            if value:
                return value
            time.sleep(0.05)
        self.fail(f"waited in vain for {what}")

    def near(self, selector):
        """The first element, with what is drawn in it."""
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.run_script("arguments[0].scrollIntoView({block: 'center'})", element)
        self.until(lambda: element.find_elements(By.TAG_NAME, "canvas"), f"a drawing in {selector}")
        return element

    def pixels(self, chart, hue):
        return self.run_script(NEAR, chart.find_element(By.TAG_NAME, "canvas"), hue)

    def hue(self, number):
        return self.run_script("return page.colour(arguments[0])", f"--hue-{number}")

    def draw_all(self):
        for place in self.driver.find_elements(By.CSS_SELECTOR, ".chart, .heat"):
            self.run_script("arguments[0].scrollIntoView({block: 'center'})", place)
            shown = self.run_script("return arguments[0].checkVisibility()", place)
            self.until(lambda: not shown or place.find_elements(By.TAG_NAME, "canvas"), "a drawing")

    def line(self, chart, at):
        return chart.find_element(By.CSS_SELECTOR, f".legend button[data-line='{at}']")

    def shown(self, chart):
        """Numbers of the lines that the legend offers, and whether each is shown."""
        buttons = chart.find_elements(By.CSS_SELECTOR, ".legend button[data-line]")
        return {int(button.get_attribute("data-line")): button.get_attribute("aria-pressed") == "true" for button in buttons}

    def saved(self, figure):
        """The SVG that a click on a figure's button saves, as it is and as a tree."""
        self.run_script("page.saved = null; arguments[0].scrollIntoView({block: 'center'})", figure)
        figure.find_element(By.CLASS_NAME, "save").click()
        saved = self.until(lambda: self.run_script("return page.saved"), "a file")
        self.assertTrue(saved["name"].endswith(".svg"), saved["name"])
        self.assertNotIn("var(", saved["text"])
        self.assertNotIn("NaN", saved["text"])
        return saved["text"], xml.etree.ElementTree.fromstring(saved["text"])
