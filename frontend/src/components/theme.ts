import { createTheme } from "@mantine/core";

/** Colours and sizes live in theme.css; here stands only what components are told by default. */
export const theme = createTheme({
  primaryColor: "indigo",
  cursorType: "pointer",
  components: {
    Button: { defaultProps: { size: "xs" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray" } },
    TextInput: { defaultProps: { size: "sm" } },
    // The lock of the page's scroll bar injects a <style> element, which the Content-Security-Policy refuses.
    Modal: { defaultProps: { lockScroll: false, closeButtonProps: { "aria-label": "Close" } } },
    Drawer: { defaultProps: { lockScroll: false, closeButtonProps: { "aria-label": "Close" } } },
    // Its placeholder inside role=menu is no menu item; focus goes to the first item all the same.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: true, multiline: true, maw: 340, fz: "xs" } },
  },
});
