import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";
import "@mantine/spotlight/styles.layer.css";
import "./app/app.css";
import { createRoot } from "react-dom/client";
import { App } from "./app/app";
import { reloadWhenAPartIsMissing } from "./app/reload";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element 'root'");
reloadWhenAPartIsMissing();
createRoot(root).render(<App />);
